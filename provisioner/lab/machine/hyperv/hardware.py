"""What virtual machines are made of: memory, processors, disks, firmware; by the name of the machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Hardware:
    """Hardware of one machine; memory in bytes. ``disks`` are paths, the first one is what it boots from."""

    disks: tuple[str, ...] = ()
    path: str = ""
    generation: int = 1
    startup: int = 512 * MIB
    minimum: int = 512 * MIB
    maximum: int = 1048576 * MIB
    is_dynamic: bool = False
    processors: int = 1
    secure_boot: bool = True
    guest_service: bool = False
    automatic_checkpoints: bool = True
    notes: str = ""


_FRESH: Final = Hardware()


class VmHardware(Area["Machine"]):
    """Hardware by machine; one that was never changed has what New-VM gives."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._machines: dict[str, Hardware] = {}

    def of(self, name: str) -> Hardware:
        """Give the hardware of a machine."""
        return self._machines.get(name.casefold(), _FRESH)

    def change(self, name: str, cmdlet: str = "Set-VM", **fields: Any) -> None:
        """Change the hardware of a machine."""
        self.owner.ledger.attempt(cmdlet)
        self.owner.hyperv.demand_active()
        self._machines[name.casefold()] = replace(self.of(name), **fields)
        self.owner.ledger.changed("vm_hardware", f"{name}: {', '.join(fields)} set")

    def forget(self, name: str) -> None:
        """Drop the hardware of a machine that is gone."""
        self._machines.pop(name.casefold(), None)

    def to_plain(self) -> Any:
        """Give all hardware."""
        return {name: asdict(item) for name, item in self._machines.items()}

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._machines = {
            name.casefold(): Hardware(**{**item, "disks": tuple(item.get("disks", ()))})
            for name, item in plain.items()
        }
