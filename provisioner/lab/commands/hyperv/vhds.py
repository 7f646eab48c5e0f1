"""Get-VHD and New-VHD."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting, size_of, texts
from provisioner.lab.machine.hyperv.vhd import Vhd, VirtualHardDisks
from provisioner.lab.values import EnumValue, PsObject, UInt32, UInt64

_NAMESPACE: Final = "Microsoft.Vhd.PowerShell."
_CMDLETS: Final = _NAMESPACE + "Cmdlets."
_TYPES: Final = {"Fixed": 2, "Dynamic": 3, "Differencing": 4}
_FORMATS: Final = {"VHD": 2, "VHDX": 3}
_SECTOR, _PHYSICAL_SECTOR = 512, 4096


async def get(invocation: Invocation) -> None:
    """Write the disk of each path."""
    machine = invocation.node.machine
    for path in texts(invocation.parameters.get("Path")):
        with reporting(invocation, "Get-VHD", _CMDLETS + "GetVhd", path):
            disk = machine.area(VirtualHardDisks).find(path)
            invocation.output.write(_object(disk, machine.computer_name))


async def new(invocation: Invocation) -> None:
    """Make a disk: dynamic unless told otherwise, differencing with a parent."""
    machine, given = invocation.node.machine, invocation.parameters
    parent = str(given.get("ParentPath") or "")
    kind = "Differencing" if parent else "Fixed" if given.get("Fixed") else "Dynamic"
    for path in texts(given.get("Path")):
        with reporting(invocation, "New-VHD", _CMDLETS + "NewVhd", path):
            wanted = Vhd(path, kind, size_of(given.get("SizeBytes")) or 0, parent)
            made = machine.area(VirtualHardDisks).create(wanted)
            invocation.output.write(_object(made, machine.computer_name))


def _object(disk: Vhd, computer: str) -> PsObject:
    return PsObject(
        (_NAMESPACE + "VirtualHardDisk", "System.Object"),
        {
            "ComputerName": computer,
            "Path": disk.path,
            "VhdFormat": EnumValue(_NAMESPACE + "VhdFormat", disk.format, _FORMATS.get(disk.format, 0)),
            "VhdType": EnumValue(_NAMESPACE + "VhdType", disk.type, _TYPES[disk.type]),
            "FileSize": UInt64(disk.file_size),
            "Size": UInt64(disk.size),
            "MinimumSize": None,
            "LogicalSectorSize": UInt32(_SECTOR),
            "PhysicalSectorSize": UInt32(_PHYSICAL_SECTOR),
            "ParentPath": disk.parent,
            "Attached": disk.is_attached,
        },
        text=disk.path,
    )
