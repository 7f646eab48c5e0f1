"""Virtual hard disks of the Hyper-V host: what a .vhd or .vhdx file holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.ground.files import normal, parent_of

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_EXCEPTION: Final = "Microsoft.HyperV.PowerShell.VirtualizationException"
_EMPTY_FILE: Final = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Vhd:
    """One disk. ``type``: Dynamic, Fixed or Differencing; ``size`` is what a guest sees, in bytes."""

    path: str
    type: str = "Dynamic"
    size: int = 0
    parent: str = ""
    is_healthy: bool = True
    is_attached: bool = False

    @property
    def format(self) -> str:
        """VHD or VHDX, by the name of the file."""
        return self.path.rpartition(".")[2].upper()

    @property
    def file_size(self) -> int:
        """What the file takes."""
        return self.size if self.type == "Fixed" else _EMPTY_FILE


class VirtualHardDisks(Area["Machine"]):
    """Disks by the path of their file. A file without an entry here is no disk."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._disks: dict[str, Vhd] = {}

    def find(self, path: str, cmdlet: str = "Get-VHD") -> Vhd:
        """Read a disk.

        Raises:
            MachineError: there is no such file, or it is no disk.
        """
        self.owner.ledger.attempt(cmdlet)
        found = self._disks.get(normal(path).casefold())
        if not self.owner.files.is_file(path):
            raise _failure(
                f"Getting the mounted storage instance for the path '{path}' failed. The operation cannot be "
                "performed because the object is not found.",
                "ObjectNotFound",
                "ObjectNotFound",
            )
        if found is None:
            raise _failure(
                f"'{path}' is not an existing virtual hard disk file.", "InvalidParameter", "InvalidArgument"
            )
        return found

    def is_good(self, path: str) -> bool:
        """Whether a disk is usable (Test-VHD)."""
        try:
            return self.find(path, "Test-VHD").is_healthy
        except MachineError:
            return False

    def create(self, disk: Vhd) -> Vhd:
        """Make a disk and its file (New-VHD).

        Raises:
            MachineError: the folder is missing, the file is there, or the parent is not.
        """
        self.owner.ledger.attempt("New-VHD")
        path = normal(disk.path)
        if not self.owner.files.is_folder(parent_of(path)):
            raise _failure(
                f"Failed to create the virtual hard disk. The system failed to create '{path}': The system cannot "
                "find the path specified.",
                "ObjectNotFound",
                "ObjectNotFound",
            )
        if self.owner.files.find(path):
            raise _failure(
                f"Failed to create the virtual hard disk. The system failed to create '{path}': The file exists.",
                "OperationFailed",
                "ResourceExists",
            )
        size = disk.size
        if disk.parent:
            size = self.find(disk.parent, "New-VHD").size
        made = replace(disk, path=path, size=size)
        self.owner.files.write(path, b"vhdxfile")
        self._put(made, "made")
        return made

    def resize(self, path: str, size: int) -> None:
        """Change the size (Resize-VHD)."""
        self._put(replace(self.find(path, "Resize-VHD"), size=size), "resized")

    def change_parent(self, path: str, parent: str) -> None:
        """Set the parent of a differencing disk (Set-VHD)."""
        self._put(replace(self.find(path, "Set-VHD"), parent=parent), "has another parent")

    def _put(self, disk: Vhd, what: str) -> None:
        self._disks[disk.path.casefold()] = disk
        self.owner.ledger.changed("vhd", f"{disk.path} {what}")

    def to_plain(self) -> Any:
        """Give all disks."""
        return [asdict(item) for item in self._disks.values()]

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        disks = [Vhd(**{**item, "path": normal(item["path"])}) for item in plain]
        self._disks = {item.path.casefold(): item for item in disks}


def _failure(message: str, error_id: str, category: str) -> MachineError:
    return MachineError(message, error_id, category, _EXCEPTION)
