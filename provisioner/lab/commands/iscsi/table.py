"""Commands of the iSCSI target server, one line each; they come with its feature."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter

_HERE = "provisioner.lab.commands.iscsi"
_ISCSI = "Microsoft.Iscsi.Target.Commands"
_ISCSI_FEATURE = "FS-iSCSITarget-Server"

COMMANDS = (
    CommandSpec(
        "Get-IscsiServerTarget",
        f"{_HERE}.get_iscsi_server_target:run",
        "IscsiTarget",
        (
            Parameter("TargetName", "string", 0),
            Parameter("Path", "string", aliases=("DevicePath",)),
            Parameter("InitiatorId", "string"),
            Parameter("ComputerName", "string"),
        ),
        feature=_ISCSI_FEATURE,
        type_name=f"{_ISCSI}.GetIscsiServerTargetCommand",
    ),
    CommandSpec(
        "Get-IscsiVirtualDisk",
        f"{_HERE}.get_iscsi_virtual_disk:run",
        "IscsiTarget",
        (
            Parameter("Path", "string", 0, aliases=("DevicePath",)),
            Parameter("TargetName", "string"),
            Parameter("ComputerName", "string"),
        ),
        feature=_ISCSI_FEATURE,
        type_name=f"{_ISCSI}.GetIscsiVirtualDiskCommand",
    ),
)
