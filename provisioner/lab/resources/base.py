"""What a simulated DSC resource is: Get, Test and Set over the state of a machine.

Behaviour follows the published modules (docs/lab.md names the sources); the LCM around it decides when each is
called. Only bound properties (those in the MOF) are passed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine


class ResourceError(Exception):
    """A resource threw. ``error_id`` is the id of the error record, ``category`` its ErrorCategory name."""

    def __init__(
        self, message: str, error_id: str, category: str, exception_type: str = "System.Exception"
    ) -> None:
        self.message = message
        self.error_id = error_id
        self.category = category
        self.exception_type = exception_type
        super().__init__(message)


@dataclass(slots=True)
class ResourceContext:
    """What a resource may use besides its properties.

    ``sleep`` waits simulated seconds (scaled by the lab). ``calls`` collects ``(cmdlet, parameters)`` in order,
    as the golden cases record them. Setting ``reboot_requested`` stands for ``$global:DSCMachineStatus = 1``.
    """

    machine: Machine
    sleep: Callable[[float], Awaitable[None]]
    verbose: Callable[[str], None] = lambda _text: None
    warning: Callable[[str], None] = lambda _text: None
    reboot_requested: bool = False
    nonterminating: list[ResourceError] = field(default_factory=list)


class SimulatedResource(Protocol):
    """One resource type. Stateless: all state is in the machine."""

    #: CIM class and module; the catalogue of the node decides which versions are there.
    class_name: str
    module: str

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        ...

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; raises ResourceError as the module throws."""
        ...

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource; raises ResourceError as the module throws."""
        ...
