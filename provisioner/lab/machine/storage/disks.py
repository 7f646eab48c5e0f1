"""Disks of a machine: what is attached, how it is partitioned and formatted.

A partition with a letter and a file system is a volume of ``files``: paths on it work from then on. Disks come
with the machine, through an iSCSI session or from a mounted image; whoever brings a disk takes it away again.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.storage.settings import StorageSettings
from provisioner.lab.machine.storage.shared import SharedDisks

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

GIB: Final = 2**30
#: What the partition table takes at the beginning of a disk.
_HEAD: Final = 2**20
_DEFAULT_UNIT: Final = 4096
#: Enough for a volume that holds next to nothing.
_SMALLEST: Final = 8 * 2**20
_EXCEPTION: Final = "Microsoft.Management.Infrastructure.CimException"
#: The way to disks that machines of a lab share.
SHARED_BUS: Final = "iSCSI"


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk. ``style`` is RAW, GPT or MBR; ``guid`` has braces and is empty before there is a GPT.

    ``source`` says who brought it: empty for the machine itself. ``keeps_partitions_read_only`` is a disk whose
    new partitions never become writable.
    """

    number: int
    unique_id: str
    size: int
    guid: str = ""
    location: str = ""
    friendly_name: str = "Msft Virtual Disk"
    serial: str = ""
    bus: str = "SAS"
    style: str = "RAW"
    is_offline: bool = False
    is_read_only: bool = False
    source: str = ""
    keeps_partitions_read_only: bool = False


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition. ``letter`` and ``file_system`` are empty when it has none; sizes in bytes."""

    disk: int
    number: int
    size: int
    letter: str = ""
    type: str = "Basic"
    file_system: str = ""
    label: str = ""
    unit: int = 0
    is_read_only: bool = False


class Disks(Area["Machine"]):
    """Disks by number, partitions in the order of disk and number."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._disks: dict[int, Disk] = {}
        self._partitions: list[Partition] = []
        #: What was on disks that are not attached now, by their source.
        self._away: dict[str, tuple[Disk, list[Partition]]] = {}
        for number, (letter, gib) in enumerate(owner.files.volumes.items()):
            disk = replace(self._made(number, gib * GIB + _HEAD), style="GPT")
            self._disks[number] = replace(disk, guid=_guid(f"{disk.unique_id}/gpt"))
            self._partitions.append(
                Partition(number, 1, gib * GIB, letter, "Basic", "NTFS", "", _DEFAULT_UNIT)
            )
        for raw in owner.raw_disks:
            made = self._made(len(self._disks), raw.size_gb * GIB)
            self._disks[made.number] = replace(
                made,
                serial=raw.serial or made.serial,
                unique_id=raw.unique_id or made.unique_id,
                is_offline=raw.offline,
                is_read_only=raw.read_only,
            )

    # -- disks ----------------------------------------------------------------------------------------------

    def all(self) -> list[Disk]:
        """All disks by number (Get-Disk)."""
        self.owner.ledger.attempt("Get-Disk")
        return [self._disks[number] for number in sorted(self._disks)]

    def disk(self, number: int) -> Disk:
        """Look a disk up by its number.

        Raises:
            MachineError: there is none.
        """
        found = self._disks.get(number)
        if found is None:
            raise not_found("MSFT_Disk", "Number", str(number), "Get-Disk")
        return found

    def free(self, disk: Disk) -> int:
        """LargestFreeExtent: what a new partition may take."""
        if disk.style == "RAW":
            return 0
        taken = sum(item.size for item in self._partitions if item.disk == disk.number)
        return max(0, disk.size - _HEAD - taken)

    def change_disk(self, number: int, *, offline: bool | None = None, read_only: bool | None = None) -> None:
        """Bring a disk on or off line, or protect it (Set-Disk)."""
        self.owner.ledger.attempt("Set-Disk")
        disk = self.disk(number)
        if offline is not None:
            disk = replace(disk, is_offline=offline)
        if read_only is not None:
            disk = replace(disk, is_read_only=read_only)
        self._put(disk, "changed")

    def initialize(self, number: int, style: str) -> None:
        """Write a partition table (Initialize-Disk).

        Raises:
            MachineError: there is one, or the disk is off line or protected.
        """
        self.owner.ledger.attempt("Initialize-Disk")
        disk = self.disk(number)
        _demand_writable(disk)
        if disk.style != "RAW":
            raise storage_error(41002, "The disk has already been initialized.", "InvalidOperation")
        guid = (disk.guid or _guid(f"{disk.unique_id}/gpt")) if style == "GPT" else disk.guid
        self._put(replace(disk, style=style, guid=guid), "initialized")

    def clear(self, number: int) -> None:
        """Wipe a disk (Clear-Disk -RemoveData -RemoveOEM)."""
        self.owner.ledger.attempt("Clear-Disk")
        disk = self.disk(number)
        _demand_writable(disk)
        for partition in self.partitions(number):
            self._drop(partition)
        self._put(replace(disk, style="RAW"), "cleared")

    def attach(self, source: str, size: int, *, bus: str, identity: str, is_shared: bool = False) -> Disk:
        """Let a disk appear; a shared one is off line and protected, as Windows Server wants it.

        ``identity`` tells one disk from another: the same gives the same ids again. Partitions of a disk that was
        attached before are still on it; letters are given anew.
        """
        there = self.of(source)
        if there is not None:
            return there
        number = next(number for number in range(len(self._disks) + 1) if number not in self._disks)
        if source in self._away:
            known, partitions = self._away.pop(source)
            self._partitions += [replace(item, disk=number, letter="") for item in partitions]
            self._put(self._as_others_left_it(replace(known, number=number)), "attached again")
            return self._disks[number]
        is_kept_offline = is_shared and self.owner.area(StorageSettings).leaves_shared_offline
        disk = replace(
            self._made(number, size, identity),
            bus=bus,
            source=source,
            is_offline=is_kept_offline,
            is_read_only=is_kept_offline,
            friendly_name="MSFT Virtual HD" if is_shared else "Msft Virtual Disk",
        )
        disk = self._as_others_left_it(disk)
        self._put(disk, "attached")
        return disk

    def drop_letters(self, number: int) -> None:
        """Take the letters from the volumes of a disk, as a cluster does with a shared volume."""
        for partition in self.partitions(number):
            if partition.letter:
                self._swap(partition, replace(partition, letter=""), "has no letter")

    def of(self, source: str) -> Disk | None:
        """Find the disk that came from a source."""
        return next((disk for disk in self._disks.values() if disk.source == source), None)

    def sources(self, start: str) -> list[str]:
        """Give the sources of the disks that are there and came from something that begins so."""
        return [disk.source for disk in self._disks.values() if disk.source.startswith(start)]

    def detach(self, source: str) -> None:
        """Let a disk disappear, with the letters of its volumes."""
        disk = self.of(source)
        if disk is None:
            return
        self._away[source] = disk, self.partitions(disk.number)
        for partition in self.partitions(disk.number):
            self._drop(partition)
        del self._disks[disk.number]
        self.owner.ledger.changed("disks", f"disk {disk.number} detached")

    def adopt(self, disks: list[Disk], partitions: list[Partition]) -> None:
        """Take over disks and partitions as they are, in place of all there were."""
        for old in list(self._partitions):
            self._drop(old)
        self._disks = {disk.number: disk for disk in disks}
        for partition in partitions:
            self._partitions.append(partition)
            self._mount(partition)

    # -- partitions and volumes -----------------------------------------------------------------------------

    def partitions(self, disk: int | None = None) -> list[Partition]:
        """Partitions of a disk, or all (Get-Partition)."""
        return [item for item in self._partitions if disk is None or item.disk == disk]

    def lettered(self, letter: str) -> Partition | None:
        """Find the partition of a drive letter, on any disk."""
        return next((item for item in self._partitions if item.letter == letter.upper()), None)

    def supported_size(self, partition: Partition) -> tuple[int, int]:
        """Smallest and largest size a partition may get (Get-PartitionSupportedSize)."""
        self.owner.ledger.attempt("Get-PartitionSupportedSize")
        return self._limits(partition)

    def _limits(self, partition: Partition) -> tuple[int, int]:
        return min(partition.size, _SMALLEST), partition.size + self.free(self.disk(partition.disk))

    def new_partition(self, number: int, letter: str = "", size: int | None = None) -> Partition:
        """Make a partition; without a size it takes all there is (New-Partition).

        Raises:
            MachineError: there is not enough room, or the letter is taken.
        """
        self.owner.ledger.attempt("New-Partition")
        disk = self.disk(number)
        room = self.free(disk)
        wanted = room if size is None else size
        if not room or wanted > room:
            raise storage_error(40000, "Not enough available capacity", "NotSpecified")
        if letter and (self.lettered(letter) or letter.upper() in self.owner.files.volumes):
            raise storage_error(42002, "The requested access path is already in use.", "InvalidArgument")
        taken = {item.number for item in self.partitions(number)}
        free = next(one for one in range(1, len(taken) + 2) if one not in taken)
        made = Partition(number, free, wanted, letter.upper(), is_read_only=disk.keeps_partitions_read_only)
        self._partitions.append(made)
        self.owner.ledger.changed("disks", f"partition {free} of disk {number} made")
        self._tell_others(number)
        return made

    def resize(self, partition: Partition, size: int) -> Partition:
        """Resize a partition (Resize-Partition).

        Raises:
            MachineError: the size is out of reach.
        """
        self.owner.ledger.attempt("Resize-Partition")
        smallest, largest = self._limits(partition)
        if not smallest <= size <= largest:
            raise storage_error(4097, "Size Not Supported", "NotSpecified")
        return self._swap(partition, replace(partition, size=size), "resized")

    def format(
        self, partition: Partition, file_system: str, label: str = "", unit: int | None = None
    ) -> Partition:
        """Format a partition; what was on it is gone (Format-Volume).

        Raises:
            MachineError: the partition cannot be written.
        """
        self.owner.ledger.attempt("Format-Volume")
        if partition.is_read_only:
            raise storage_error(43006, "The volume is write protected.", "InvalidOperation")
        made = replace(partition, file_system=file_system, label=label, unit=unit or _DEFAULT_UNIT)
        if partition.letter:
            self.owner.files.remove(f"{partition.letter}:\\")
        return self._swap(partition, made, f"formatted as {file_system}")

    def label(self, partition: Partition, text: str) -> Partition:
        """Name a volume (Set-Volume)."""
        self.owner.ledger.attempt("Set-Volume")
        return self._swap(partition, replace(partition, label=text), "labelled")

    def give_letter(self, partition: Partition, letter: str) -> Partition:
        """Give a partition another letter (Set-Partition -NewDriveLetter).

        Raises:
            MachineError: the letter is taken.
        """
        self.owner.ledger.attempt("Set-Partition")
        if self.lettered(letter):
            raise storage_error(42002, "The requested access path is already in use.", "InvalidArgument")
        return self._swap(partition, replace(partition, letter=letter.upper()), f"is {letter.upper()} now")

    # -- parts ----------------------------------------------------------------------------------------------

    def _made(self, number: int, size: int, identity: str = "") -> Disk:
        digest = hashlib.sha256((identity or f"{self.owner.name}/disk/{number}").encode()).hexdigest().upper()
        return Disk(
            number,
            f"6002248{digest[:25]}",
            size,
            location=f"Integrated : Adapter 0 : Port 0 : Target 0 : LUN {number}",
            serial=digest[32:48],
        )

    def _put(self, disk: Disk, what: str) -> None:
        self._disks[disk.number] = disk
        self.owner.ledger.changed("disks", f"disk {disk.number} {what}")
        self._tell_others(disk.number)

    def _tell_others(self, number: int) -> None:
        """What is written to a disk that several machines reach shows on all of them."""
        disk = self._disks[number]
        if disk.bus != SHARED_BUS:
            return
        content = [disk.style, disk.guid, [asdict(item) for item in self.partitions(number)]]
        if not self.owner.world.area(SharedDisks).write(disk.unique_id, content):
            return
        for machine in self.owner.world.machines():
            if machine is not self.owner and machine.areas.has(Disks):
                machine.area(Disks).reread(disk.unique_id)

    def reread(self, unique_id: str) -> None:
        """Take over what another machine wrote to a disk that is attached here too."""
        for disk in list(self._disks.values()):
            if disk.unique_id == unique_id:
                self._disks[disk.number] = self._as_others_left_it(disk)
                self.owner.ledger.changed("disks", f"disk {disk.number} written to by another machine")

    def _as_others_left_it(self, disk: Disk) -> Disk:
        """Give a disk with what was last written to it; letters are this machine's own."""
        content = self.owner.world.area(SharedDisks).read(disk.unique_id) if disk.bus == SHARED_BUS else None
        if content is None:
            return disk
        style, guid, partitions = content
        letters = {item.number: item.letter for item in self.partitions(disk.number)}
        self._partitions = [item for item in self._partitions if item.disk != disk.number]
        for plain in partitions:
            letter = letters.get(plain["number"], "")
            self._partitions.append(Partition(**{**plain, "disk": disk.number, "letter": letter}))
        return replace(disk, style=style, guid=guid)

    def _swap(self, old: Partition, new: Partition, what: str) -> Partition:
        self._partitions[self._partitions.index(old)] = new
        if old.letter != new.letter:
            self._unmount(old)
        self._mount(new)
        self.owner.ledger.changed("disks", f"partition {new.number} of disk {new.disk} {what}")
        self._tell_others(new.disk)
        return new

    def _drop(self, partition: Partition) -> None:
        self._partitions.remove(partition)
        self._unmount(partition)
        self.owner.ledger.changed("disks", f"partition {partition.number} of disk {partition.disk} removed")

    def _mount(self, partition: Partition) -> None:
        if partition.letter and partition.file_system:
            self.owner.files.mount(partition.letter, max(1, partition.size // GIB))

    def _unmount(self, partition: Partition) -> None:
        if partition.letter and partition.file_system:
            self.owner.files.unmount(partition.letter)

    def to_plain(self) -> Any:
        """Give disks and partitions."""
        return {
            "disks": [asdict(disk) for disk in self._disks.values()],
            "partitions": [asdict(item) for item in self._partitions],
            "away": {
                source: [asdict(disk), [asdict(item) for item in partitions]]
                for source, (disk, partitions) in self._away.items()
            },
        }

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._disks = {item["number"]: Disk(**item) for item in plain["disks"]}
        self._partitions = [Partition(**item) for item in plain.get("partitions", ())]
        self._away = {
            source: (Disk(**disk), [Partition(**item) for item in partitions])
            for source, (disk, partitions) in plain.get("away", {}).items()
        }
        for partition in self._partitions:
            self._mount(partition)


def not_found(cim_class: str, key: str, value: str, command: str) -> MachineError:
    """Make the error that cmdlets over CIM classes give when a query finds nothing."""
    return MachineError(
        f"No {cim_class} objects found with property '{key}' equal to '{value}'.  Verify the value of the "
        "property and retry.",
        f"CmdletizationQuery_NotFound_{key},{command}",
        "ObjectNotFound",
        "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
    )


def storage_error(number: int, message: str, category: str) -> MachineError:
    """Make an error of the storage management provider."""
    return MachineError(message, f"StorageWMI {number}", category, _EXCEPTION)


def _demand_writable(disk: Disk) -> None:
    if disk.is_offline:
        raise storage_error(41004, "The disk is offline.", "InvalidOperation")
    if disk.is_read_only:
        raise storage_error(41003, "The disk is read only.", "InvalidOperation")


def _guid(seed: str) -> str:
    digest = hashlib.sha256(seed.encode()).hexdigest()
    return f"{{{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}}}"
