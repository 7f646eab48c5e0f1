"""What an LCM needs of the node it lives in, and where the node can make it misbehave. Values and protocols.

Faults of an LCM are data of the host: ``host.misbehaviour`` is asked at the moment it matters, and ``Behaved``,
the usual one, never minds. Two faults need no hook, because they are state of the machine: a damaged
``MetaConfig.mof`` (``store.META_FILE``) makes the LCM fall back to its defaults, a damaged manifest
(``machine.powershell.modules``) makes a module unusable. A stuck LCM is one whose ``before_resource`` does not
return and that ``ignores_stop``: then only the end of the provider host (``Lcm.on_provider_killed``) or a boot
gets it free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine
    from provisioner.lab.resources.base import SimulatedResource

#: Finds the simulated resource of a CIM class and module; None when the lab has none.
FindResource: TypeAlias = "Callable[[str, str], SimulatedResource | None]"
#: Takes back what ``LcmHost.after`` promised.
Cancel: TypeAlias = Callable[[], None]

BIG_ENDIAN, RAW, LITTLE_ENDIAN = "big-endian", "raw", "little-endian"


@dataclass(frozen=True, slots=True)
class LcmOptions:
    """In which ways nodes may differ where nobody knows how Windows behaves.

    ``accepts``: the forms of ConfigurationData that are understood; ``big-endian`` and ``little-endian`` are the
    length of the whole array in its first four bytes, ``raw`` is the document alone.
    ``serves_output_while_busy``: GetConfigurationResultOutput answers during the job.
    """

    accepts: tuple[str, ...] = (BIG_ENDIAN, RAW)
    serves_output_while_busy: bool = True


@dataclass(frozen=True, slots=True)
class ForeignOperation:
    """What the LCM does for somebody else. ``cmdlet`` is the name others are told, ``detail`` LCMStateDetail."""

    cmdlet: str = "Consistency Check or Pull"
    detail: str = "LCM is performing a consistency check."


class Misbehaviour(Protocol):
    """How an LCM is made to misbehave. Every method must be cheap: all are asked in the middle of things."""

    def foreign_operation(self) -> ForeignOperation | None:
        """Give what keeps the LCM busy now, a consistency run or a push of somebody else's; None when nothing."""
        ...

    async def before_resource(self, resource_id: str, operation: str) -> None:
        """Run before each Get, Test or Set; ``operation`` is the word.

        Raising ``ResourceError`` makes the resource fail; never returning makes the LCM stuck.
        """
        ...

    def lies(self, resource_id: str) -> bool:
        """Whether Set of this resource does nothing and says that it went well."""
        ...

    def ignores_stop(self) -> bool:
        """Whether the running operation can not be cancelled."""
        ...


class Behaved:
    """An LCM that does what it should."""

    def foreign_operation(self) -> ForeignOperation | None:
        """Nobody else uses it."""
        return None

    async def before_resource(self, resource_id: str, operation: str) -> None:
        """Nothing comes between."""

    def lies(self, resource_id: str) -> bool:
        """Set does what it says."""
        del resource_id
        return False

    def ignores_stop(self) -> bool:
        """It can be stopped."""
        return False


class LcmHost(Protocol):
    """The node around an LCM. ``has_http_listener``: whether WinRM answers plain HTTP on the node itself."""

    machine: Machine
    misbehaviour: Misbehaviour

    @property
    def computer_name(self) -> str:
        """NetBIOS name the node has now."""
        ...

    @property
    def has_http_listener(self) -> bool:
        """Whether WinRM listens on HTTP, where a resource with PsDscRunAsCredential connects to."""
        ...

    def now(self) -> datetime:
        """Time of the node, with its zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait simulated seconds."""
        ...

    def after(self, seconds: float, callback: Callable[[], None]) -> Cancel:
        """Call back once the node has been idle for simulated seconds; the wait costs no task."""
        ...

    def record(self, kind: str, **details: Any) -> None:
        """Write a line into the node's journal."""
        ...

    def save(self) -> None:
        """Make the present state survive the end of the lab."""
        ...

    def restart(self) -> None:
        """Begin a restart; returns before the node goes down."""
        ...
