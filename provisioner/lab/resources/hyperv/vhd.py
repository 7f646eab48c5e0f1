"""xVHD of xHyper-V 3.18 (class MSFT_xVHD): whether there is a usable disk, and nothing else, is compared."""

from __future__ import annotations

import ntpath
from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.hyperv.vhd import Vhd, VirtualHardDisks
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same
from provisioner.lab.resources.calls import silenced, written

_RULES = (
    Rule("Name", is_mandatory=True, may_be_empty=False),
    Rule("Path", is_mandatory=True, may_be_empty=False),
    Rule("Generation", allowed=("Vhd", "Vhdx")),
    Rule("ParentPath"),
    Rule("MaximumSizeBytes", "uint64"),
    Rule("Type", allowed=("Dynamic", "Fixed", "Differencing")),
    Rule("Ensure", allowed=("Present", "Absent")),
)
_CMDLETS = "Microsoft.Vhd.PowerShell.Cmdlets."


class VHD:
    """Stateless. Ensure Absent is never in the desired state, whether the file is there or not."""

    class_name = "MSFT_xVHD"
    module = "xHyper-V"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:3], properties)
        _demand_module(context)
        disks = context.machine.area(VirtualHardDisks)
        disk = silenced(partial(disks.find, _file(bound)))
        return {
            "Name": bound["Name"],
            "Path": bound["Path"],
            "Ensure": "Present" if disk else "Absent",
            "ParentPath": disk.parent if disk else None,
            "Generation": disk.format if disk else None,
            "Type": disk.type if disk else None,
            "FileSizeBytes": disk.file_size if disk else None,
            "MaximumSizeBytes": disk.size if disk else None,
            "IsAttached": disk.is_attached if disk else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _demand_module(context)
        _check(bound, context)
        is_good = context.machine.area(VirtualHardDisks).is_good(_file(bound))
        return is_good and is_same(bound.get("Ensure", "Present"), "Present")

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path = _file(bound)
        await context.sleep(context.machine.durations.disk_s)
        disks = context.machine.area(VirtualHardDisks)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if context.machine.files.find(path):
                context.machine.files.remove(path)
            return
        parent, size = bound.get("ParentPath", ""), bound.get("MaximumSizeBytes")
        try:
            disk = disks.find(path)
        except MachineError:
            kind = "Differencing" if parent else str(bound.get("Type", "Dynamic")).capitalize()
            with calling(_CMDLETS + "NewVhd"):
                disks.create(Vhd(path, kind, size or 0, parent))
            return
        if parent:
            if not is_same(disk.parent, parent):
                written(context, _CMDLETS + "SetVhd", partial(disks.change_parent, path, parent))
        elif size is not None and disk.size != size:
            written(context, _CMDLETS + "ResizeVhd", partial(disks.resize, path, size))


def _check(bound: Mapping[str, Any], context: ResourceContext) -> None:
    kind, parent = bound.get("Type", "Dynamic"), bound.get("ParentPath")
    is_differencing = is_same(kind, "Differencing")
    files = context.machine.files
    if not is_differencing and not bound.get("MaximumSizeBytes"):
        raise _thrown("Specify MaximumSizeBytes property for Fixed and Dynamic VHDs.")
    if parent and not is_differencing:
        raise _thrown("Parent path is only supported for Differencing disks")
    if is_differencing and not parent:
        raise _thrown("Differencing requires a parent path")
    if parent:
        if not files.find(parent):
            raise _thrown(f"{parent} does not exists")
        extension, generation = parent.rpartition(".")[2], bound.get("Generation", "Vhd")
        if not is_same(extension, generation):
            raise _thrown(f"Generation {generation} should match ParentPath extension {extension}")
    if not files.find(bound["Path"]):
        raise _thrown(f"{bound['Path']} does not exists")


def _file(bound: Mapping[str, Any]) -> str:
    """Give the path of the file; the extension may stand in the name already."""
    name, generation = str(bound["Name"]), bound.get("Generation", "Vhd")
    if name.casefold().endswith((".vhd", ".vhdx")):
        extension = name.rpartition(".")[2]
        if not is_same(extension, generation):
            raise _thrown(f"the extension {extension} on the name does not match the generation {generation}")
        return ntpath.join(str(bound["Path"]), name)
    return ntpath.join(str(bound["Path"]), f"{name}.{generation}")


def _demand_module(context: ResourceContext) -> None:
    if not context.machine.hyperv.has_module:
        raise _thrown("Please ensure that Hyper-V role is installed with its PowerShell module")


def _thrown(message: str) -> ResourceError:
    """Make the error of a plain throw of a text, which is its id too."""
    return ResourceError(
        message, message, "OperationStopped", "System.Management.Automation.RuntimeException"
    )
