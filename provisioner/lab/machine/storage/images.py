"""Mounted images: .iso, .vhd and .vhdx files that show as volumes until the next boot."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area
from provisioner.lab.machine.ground.files import normal
from provisioner.lab.machine.storage.disks import Disks, not_found

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_TYPES: Final = {"iso": "ISO", "vhd": "VHD", "vhdx": "VHDx", "vhds": "VHDSet"}
_SIZE: Final = 2**30


@dataclass(frozen=True, slots=True)
class MountedImage:
    """One mounted file. ``access``: ReadOnly or ReadWrite; an ISO has no disk, only the letter."""

    path: str
    type: str
    access: str
    iso_letter: str = ""


class Images(Area["Machine"]):
    """Mounted files by their path."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._mounted: dict[str, MountedImage] = {}

    def find(self, path: str) -> MountedImage | None:
        """Look at an image (Get-DiskImage); None when it is not mounted.

        Raises:
            MachineError: there is no such file.
        """
        self.owner.ledger.attempt("Get-DiskImage")
        if not self.owner.files.is_file(path):
            raise not_found("MSFT_DiskImage", "ImagePath", path, "Get-DiskImage")
        return self._mounted.get(normal(path).casefold())

    def letter(self, image: MountedImage) -> str:
        """Give the letter of the first basic volume."""
        disks = self.owner.area(Disks)
        disk = disks.of(_source(image.path))
        found = disks.partitions(disk.number) if disk else []
        return image.iso_letter or next((item.letter for item in found if item.type == "Basic"), "")

    def mount(self, path: str, letter: str, kind: str, access: str) -> None:
        """Mount an image at a letter (Mount-DiskImage)."""
        self.owner.ledger.attempt("Mount-DiskImage")
        kind = kind or _TYPES.get(path.rpartition(".")[2].casefold(), "VHD")
        is_iso = kind.casefold() == "iso"
        if is_iso:
            self.owner.files.mount(letter, 1)
        else:
            self._attach(path, letter, is_read_only=access.casefold() == "readonly")
        self._mounted[normal(path).casefold()] = MountedImage(
            normal(path), kind, "ReadOnly" if is_iso else access, letter if is_iso else ""
        )
        self.owner.ledger.changed("images", f"{path} mounted at {letter}")

    def _attach(self, path: str, letter: str, *, is_read_only: bool) -> None:
        disks = self.owner.area(Disks)
        disk = disks.attach(
            _source(path), _SIZE, bus="File Backed Virtual", identity=f"{self.owner.name}/{path}"
        )
        there = disks.partitions(disk.number)
        if there:
            disks.give_letter(there[0], letter)
        else:
            disks.initialize(disk.number, "GPT")
            disks.format(disks.new_partition(disk.number, letter), "NTFS")
        disks.change_disk(disk.number, read_only=is_read_only)

    def dismount(self, path: str) -> None:
        """Take an image away (Dismount-DiskImage)."""
        self.owner.ledger.attempt("Dismount-DiskImage")
        image = self._mounted.pop(normal(path).casefold(), None)
        if image is not None and image.iso_letter:
            self.owner.files.unmount(image.iso_letter)
        self.owner.area(Disks).detach(_source(path))
        self.owner.ledger.changed("images", f"{path} dismounted")

    def on_boot(self) -> None:
        """Nothing stays mounted."""
        for image in list(self._mounted.values()):
            self.dismount(image.path)

    def to_plain(self) -> Any:
        """Give what is mounted."""
        return [asdict(item) for item in self._mounted.values()]

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._mounted = {normal(item["path"]).casefold(): MountedImage(**item) for item in plain}


def _source(path: str) -> str:
    return f"image:{normal(path).casefold()}"
