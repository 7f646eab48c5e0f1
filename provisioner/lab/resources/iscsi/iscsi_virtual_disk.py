"""iSCSIVirtualDisk of iSCSIDsc 1.5 (class DSR_iSCSIVirtualDisk)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.iscsi import EXCEPTION, VirtualDisk
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same

_RULES = (
    Rule("Path", is_mandatory=True, may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("DiskType", allowed=("Dynamic", "Fixed", "Differencing")),
    Rule("SizeBytes", "uint64"),
    Rule("Description"),
    Rule("BlockSizeBytes", "uint32"),
    Rule("PhysicalSectorSizeBytes", "uint32", allowed=("512", "4096")),
    Rule("LogicalSectorSizeBytes", "uint32", allowed=("512", "4096")),
    Rule("ParentPath"),
)
_CMDLETS = "Microsoft.Iscsi.Target.Commands."


class IscsiVirtualDisk:
    """Stateless. A wrong size, type or parent is an error already in Test: the disk must be made anew by hand."""

    class_name = "DSR_iSCSIVirtualDisk"
    module = "iSCSIDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        disk = _lookup(bound["Path"], context)
        if disk is None:
            return {"Path": bound["Path"], "Ensure": "Absent"}
        return {
            "Path": bound["Path"],
            "Ensure": "Present",
            "DiskType": disk.type,
            "SizeBytes": disk.size or 0,
            "Description": disk.description,
            "ParentPath": disk.parent_path,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        disk = _lookup(bound["Path"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return disk is None
        if disk is None:
            return False
        _refuse_other_disk(bound, disk, "Test-TargetResource")
        wanted = bound.get("Description")
        return not wanted or is_same(wanted, disk.description)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: an existing disk only gets its description, an unbound one empties it."""
        bound = bind("Set-TargetResource", _RULES, properties)
        disk = _lookup(bound["Path"], context)
        iscsi = context.machine.iscsi
        await context.sleep(context.machine.durations.disk_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if disk is not None:
                with calling(_CMDLETS + "RemoveIscsiVirtualDiskCommand"):
                    iscsi.remove_disk(disk.path)
        elif disk is None:
            with calling(_CMDLETS + "NewIscsiVirtualDiskCommand"):
                iscsi.new_disk(_new(bound))
        else:
            _refuse_other_disk(bound, disk, "Set-TargetResource")
            with calling(_CMDLETS + "SetIscsiVirtualDiskCommand"):
                iscsi.describe_disk(disk.path, bound.get("Description", ""))


def _lookup(path: str, context: ResourceContext) -> VirtualDisk | None:
    with calling(_CMDLETS + "GetIscsiVirtualDiskCommand"):
        try:
            return context.machine.iscsi.disk(path)
        except MachineError as error:
            if error.exception_type != EXCEPTION:
                raise
            return None


def _refuse_other_disk(bound: Mapping[str, Any], disk: VirtualDisk, function: str) -> None:
    kind, size, parent = bound.get("DiskType", "Dynamic"), bound.get("SizeBytes"), bound.get("ParentPath")
    if (
        not is_same(kind, disk.type)
        or (size and size != disk.size)
        or (parent and not is_same(parent, disk.parent_path))
    ):
        raise ResourceError(
            f'iSCSI Virtual Disk "{bound["Path"]}" needs to be deleted and recreated. '
            "Please perform this manually.",
            f"iSCSIVirtualDiskRequiresRecreateError,{function}",
            "InvalidArgument",
            "System.InvalidOperationException",
        )


def _new(bound: Mapping[str, Any]) -> VirtualDisk:
    is_fixed = is_same(bound.get("DiskType", ""), "Fixed")
    parent = bound.get("ParentPath") or ""
    return VirtualDisk(
        bound["Path"],
        bound.get("SizeBytes"),
        # The cmdlet is told of fixed disks only; it makes a differencing one of whatever has a parent.
        "Differencing" if parent else ("Fixed" if is_fixed else "Dynamic"),
        bound.get("Description") or "",
        parent,
        bound.get("BlockSizeBytes"),
        # Handed to the cmdlet for fixed disks only.
        bound.get("LogicalSectorSizeBytes") if is_fixed else None,
        bound.get("PhysicalSectorSizeBytes"),
    )
