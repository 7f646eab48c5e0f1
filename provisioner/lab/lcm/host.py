"""What an LCM needs of the node it lives in. Values and a protocol."""

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


@dataclass(frozen=True, slots=True)
class LcmOptions:
    """In which ways nodes may differ where nobody knows how Windows behaves.

    ``accepts_raw``: ConfigurationData without the length prefix is taken as it is; otherwise the first four bytes
    are dropped unseen. ``serves_output_while_busy``: GetConfigurationResultOutput answers during the job.
    """

    accepts_raw: bool = True
    serves_output_while_busy: bool = True


class LcmHost(Protocol):
    """The node around an LCM."""

    machine: Machine
    computer_name: str

    def now(self) -> datetime:
        """Time of the node, with its zone."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait simulated seconds."""
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
