"""Disk of StorageDsc 6.0 (class DSC_Disk), with the cases in which it never converges or wipes a disk."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.storage.disks import Disk, Disks, Partition
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, invalid_operation, is_same
from provisioner.lab.resources.calls import works, works_silently, written
from provisioner.lab.resources.storage.lookup import ID_TYPES, drive_letter, find_disk

_RULES = (
    Rule("DriveLetter", is_mandatory=True),
    Rule("DiskId", is_mandatory=True),
    Rule("DiskIdType", allowed=ID_TYPES),
    Rule("PartitionStyle", allowed=("GPT", "MBR")),
    Rule("Size", "uint64"),
    Rule("FSLabel"),
    Rule("AllocationUnitSize", "uint32"),
    Rule("FSFormat", allowed=("NTFS", "ReFS")),
    Rule("AllowDestructive", "boolean"),
    Rule("ClearDisk", "boolean"),
    Rule("DevDrive", "boolean"),
)
#: Sizes that differ by less are equal as long as no Size is given.
_TOLERANCE = 2**20
#: Seconds a new partition is watched for: at least, at most.
_WATCH_S = (3, 30)


class DiskResource:
    """Stateless."""

    class_name = "DSC_Disk"
    module = "StorageDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: the letter is looked for on every disk."""
        bound = bind("Get-TargetResource", _RULES, properties)
        letter = drive_letter(bound["DriveLetter"])
        disk = find_disk(bound, context)
        partition = _lettered(letter, context)
        volume = _lettered(letter, context, "Get-Volume")
        has_unit = works_silently(context, "Get-CimInstance") and volume is not None
        return {
            "DiskId": bound["DiskId"],
            "DiskIdType": bound.get("DiskIdType", "Number"),
            "DriveLetter": partition.letter if partition else None,
            "PartitionStyle": disk.style if disk else None,
            "Size": partition.size if partition else None,
            "FSLabel": volume.label if volume else None,
            "AllocationUnitSize": (volume.unit or None) if volume and has_unit else None,
            "FSFormat": volume.file_system if volume else None,
            "DevDrive": False,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource, in the order of the module; the first difference decides."""
        bound = bind("Test-TargetResource", _RULES, properties)
        letter = drive_letter(bound["DriveLetter"])
        disk = find_disk(bound, context)
        if disk is None or disk.is_offline or disk.is_read_only:
            return False
        style = bound.get("PartitionStyle", "GPT")
        if not is_same(disk.style, style):
            if disk.style == "RAW" or _may_clear(bound):
                return False
            raise _wrong_style(bound, disk.style)
        partition = _lettered(letter, context)
        if partition is None:
            return False
        is_destructive = bound.get("AllowDestructive")
        # What is not as wanted counts only where it may be changed.
        if not _has_size(bound, partition, context) and is_destructive:
            return False
        if not _has_unit(bound, partition, context) and is_destructive:
            return False
        volume = _lettered(letter, context, "Get-Volume")
        has_format = volume is not None and is_same(volume.file_system, bound.get("FSFormat"))
        if "FSFormat" in bound and not has_format and is_destructive:
            return False
        if "FSLabel" in bound and not (volume and is_same(volume.label, bound["FSLabel"])):
            return False
        if bound.get("DevDrive"):
            raise _no_dev_drive()
        return True

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource. Errors of cmdlets are written, and the function goes on with what there is."""
        bound = bind("Set-TargetResource", _RULES, properties)
        letter = drive_letter(bound["DriveLetter"])
        await context.sleep(context.machine.durations.disk_s)
        disk = _prepared(bound, context)
        if bound.get("DevDrive"):
            raise _no_dev_drive()
        disks = context.machine.area(Disks)
        there = disks.partitions(disk.number) if works_silently(context, "Get-Partition") else []
        assigned = next((item for item in there if item.letter == letter), None)
        if assigned is None:
            partition = _reusable(bound, there, context) or await _new(bound, disk, letter, context)
            if partition is None:
                return
            if partition.is_read_only:
                raise invalid_operation(
                    f"New partition '{partition.number}' on disk with {bound.get('DiskIdType', 'Number')} "
                    f"'{bound['DiskId']}' did not become writable in the expected time."
                )
        else:
            partition = _resized(bound, assigned, context)
        partition = _formatted(bound, partition, context)
        if assigned is None and partition.letter != letter:
            written(context, "Set-Partition", partial(disks.give_letter, partition, letter))


def _lettered(letter: str, context: ResourceContext, cmdlet: str = "Get-Partition") -> Partition | None:
    """Look for a letter on every disk; what does not answer finds nothing."""
    return context.machine.area(Disks).lettered(letter) if works_silently(context, cmdlet) else None


def _has_size(bound: Mapping[str, Any], partition: Partition, context: ResourceContext) -> bool:
    size = bound.get("Size")
    if size is None:
        size = _largest(partition, context)
        if size - partition.size < _TOLERANCE:
            size = partition.size
    return not size or partition.size == size


def _has_unit(bound: Mapping[str, Any], partition: Partition, context: ResourceContext) -> bool:
    answers = works_silently(context, "Get-CimInstance")
    unit = bound.get("AllocationUnitSize")
    return not answers or not unit or not partition.unit or unit == partition.unit


def _largest(partition: Partition, context: ResourceContext) -> int:
    """Give the size a partition could have; 0 without an answer."""
    supported = partial(context.machine.area(Disks).supported_size, partition)
    answer = written(context, "Get-PartitionSupportedSize", supported)
    return answer[1] if answer else 0


def _may_clear(bound: Mapping[str, Any]) -> bool:
    return bool(bound.get("AllowDestructive") and bound.get("ClearDisk"))


def _prepared(bound: Mapping[str, Any], context: ResourceContext) -> Disk:
    """On line, writable, wiped when that is allowed, with a partition table."""
    machine = context.machine
    disks = machine.area(Disks)
    disk = find_disk(bound, context)
    style = bound.get("PartitionStyle", "GPT")
    if disk is None:
        # A disk that is not there has no partition style; the module goes on and fails over that.
        raise _wrong_style(bound, "")
    if disk.is_offline:
        written(context, "Set-Disk", partial(disks.change_disk, disk.number, offline=False))
    if disk.is_read_only:
        written(context, "Set-Disk", partial(disks.change_disk, disk.number, read_only=False))
    if _may_clear(bound) and disk.style != "RAW":
        written(context, "Clear-Disk", partial(disks.clear, disk.number))
        disk = disks.disk(disk.number)
    if disk.style == "RAW":
        written(context, "Initialize-Disk", partial(disks.initialize, disk.number, str(style).upper()))
    elif not is_same(disk.style, style):
        raise _wrong_style(bound, disk.style)
    return disks.disk(disk.number)


def _reusable(bound: Mapping[str, Any], there: list[Partition], context: ResourceContext) -> Partition | None:
    """Give a partition of exactly the size, or without one a nameless volume of the right file system."""
    size = bound.get("Size")
    basic = [item for item in there if item.type == "Basic"]
    if size:
        return next((item for item in basic if item.size == size), None)
    wanted = bound.get("FSFormat", "NTFS")
    nameless = (item for item in basic if not item.letter and works(context, "Get-Volume"))
    return next((item for item in nameless if is_same(item.file_system, wanted)), None)


async def _new(
    bound: Mapping[str, Any], disk: Disk, letter: str, context: ResourceContext
) -> Partition | None:
    disks = context.machine.area(Disks)
    size = bound.get("Size") or None
    made = written(context, "New-Partition", partial(disks.new_partition, disk.number, letter, size))
    if made is not None:
        for _ in range(1, _WATCH_S[1] if made.is_read_only else _WATCH_S[0]):
            await context.sleep(1)
            works(context, "Get-Partition")
    return made


def _resized(bound: Mapping[str, Any], partition: Partition, context: ResourceContext) -> Partition:
    disks = context.machine.area(Disks)
    largest = _largest(partition, context)
    size = bound.get("Size", largest)
    if partition.size == size:
        return partition
    what = f"{partition.letter} from {partition.size} to {size}"
    if not bound.get("AllowDestructive"):
        context.warning(f"Partition {what}: a resize is not allowed.")
        return partition
    if is_same(bound.get("FSFormat", "NTFS"), "ReFS"):
        context.warning(f"Partition {what}: a ReFS volume cannot be resized.")
        return partition
    # Without an answer any size is too much.
    if size > largest:
        raise invalid_argument(
            f"Set-TargetResource: Attempted to resize partition {what} while maximum allowed size was {largest}.",
            "Size",
        )
    return written(context, "Resize-Partition", partial(disks.resize, partition, size)) or partition


def _formatted(bound: Mapping[str, Any], partition: Partition, context: ResourceContext) -> Partition:
    disks = context.machine.area(Disks)
    wanted, unit = bound.get("FSFormat", "NTFS"), bound.get("AllocationUnitSize") or None
    kind = "ReFS" if is_same(wanted, "ReFS") else "NTFS"
    if not works(context, "Get-Volume"):
        return partition
    if not partition.file_system:
        label = bound.get("FSLabel") or ""
        done = written(context, "Format-Volume", partial(disks.format, partition, kind, label, unit))
        return done or partition
    if "FSFormat" in bound and not is_same(partition.file_system, kind) and bound.get("AllowDestructive"):
        done = written(context, "Format-Volume", partial(disks.format, partition, kind, "", unit))
        injected = context.machine.ledger.failing.get("Format-Volume")
        if done is None and not (injected and injected.is_terminating):
            # The volume is what Format-Volume gave: none, which gets no label.
            return partition
        partition = done or partition
    if "FSLabel" in bound and not is_same(partition.label, bound["FSLabel"]):
        named = partial(disks.label, partition, bound["FSLabel"])
        partition = written(context, "Set-Volume", named) or partition
    return partition


def _no_dev_drive() -> ResourceError:
    """No release of the lab has Dev Drives."""
    return ResourceError(
        "Dev Drive feature is not available on this system.",
        "Dev Drive feature is not available on this system.",
        "OperationStopped",
        "System.Management.Automation.RuntimeException",
    )


def _wrong_style(bound: Mapping[str, Any], style: str) -> ResourceError:
    return invalid_operation(
        f"Disk with {bound.get('DiskIdType', 'Number')} '{bound['DiskId']}' is already initialized with '{style}' "
        f"but '{bound.get('PartitionStyle', 'GPT')}' is required."
    )
