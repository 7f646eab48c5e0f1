"""What the machine is made of: memory, processors, and the room on its volumes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area
from provisioner.lab.machine.storage.disks import Disks

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_GIB: Final = 2**30
#: What Windows itself takes, of the disk and of the memory. Assumed: no check needs more than its order.
_WINDOWS_ON_DISK: Final = 12 * _GIB
_WINDOWS_IN_MEMORY: Final = 2 * _GIB
_SYSTEM_DRIVE: Final = "C"


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume with a letter; sizes in bytes."""

    name: str
    size: int
    free: int


class Hardware(Area["Machine"]):
    """Follows from the specification and the disks; nothing of it is kept."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self.spec = owner.hardware

    @property
    def memory(self) -> int:
        """All memory in bytes."""
        return self.spec.memory_gb * _GIB

    @property
    def free_memory(self) -> int:
        """Memory that is free, in bytes."""
        return max(0, self.memory - _WINDOWS_IN_MEMORY)

    def volumes(self) -> Iterator[Volume]:
        """Give the volumes with letters; files that were written count for nothing."""
        for part in self.owner.area(Disks).partitions():
            if not part.letter or not part.file_system:
                continue
            free = part.size
            if part.letter == _SYSTEM_DRIVE:
                given = self.spec.free_gb
                free = max(0, part.size - _WINDOWS_ON_DISK) if given is None else given * _GIB
            yield Volume(f"{part.letter}:", part.size, free)

    def to_plain(self) -> Any:
        """Give nothing."""
        return None

    def load(self, plain: Any) -> None:
        """Take over nothing."""
