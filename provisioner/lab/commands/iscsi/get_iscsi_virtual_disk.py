"""Get-IscsiVirtualDisk: virtual disks of the Microsoft iSCSI Target Server."""

from __future__ import annotations

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.iscsi import VirtualDisk
from provisioner.lab.machine.machine import Machine
from provisioner.lab.values import EnumValue, PsObject, UInt64

_NAMESPACE = "Microsoft.Iscsi.Target.Commands."
TYPE = _NAMESPACE + "GetIscsiVirtualDiskCommand"
# The numbers of the enumeration are not documented; the texts are.
_TYPES = {"Fixed": 1, "Dynamic": 2, "Differencing": 3}


async def run(invocation: Invocation) -> None:
    """Write the disk of the path, those of a target, or all."""
    machine = invocation.node.machine
    path, target = invocation.parameters.get("Path"), invocation.parameters.get("TargetName")
    try:
        if path is not None:
            found = [machine.iscsi.disk(str(path))]
        elif target is not None:
            found = [machine.iscsi.disk(lun) for lun in machine.iscsi.target(str(target)).luns]
        else:
            found = machine.iscsi.disks()
    except MachineError as error:
        invocation.output.error(failure.record(error, TYPE, "Get-IscsiVirtualDisk", path or target))
        return
    for disk in found:
        invocation.output.write(disk_object(disk, machine))


def disk_object(disk: VirtualDisk, machine: Machine) -> PsObject:
    """Give a disk as the module shows it."""
    users = [item for item in machine.iscsi.targets() if disk.path in item.luns]
    status = ("Connected", 1) if any(item.sessions for item in users) else ("NotConnected", 0)
    return PsObject(
        (_NAMESPACE + "IscsiVirtualDisk", "System.Object"),
        {
            "ClusterGroupName": "",
            "ComputerName": machine.computer_name,
            "Description": disk.description,
            "DiskType": EnumValue(_NAMESPACE + "VirtualDiskType", disk.type, _TYPES[disk.type]),
            "Enabled": True,
            "HostVolumeId": disk.path[:3],
            "ParentPath": disk.parent_path,
            "Path": disk.path,
            "Size": UInt64(disk.size or 0),
            "Status": EnumValue(_NAMESPACE + "VirtualDiskStatus", *status),
        },
        text=disk.path,
    )
