"""The commands that read and change the areas of a machine, one line each.

Names, aliases and positions of parameters are those of the Windows modules; parameters that change nothing here
are accepted where a script would give them (-Force, -Confirm).
"""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter

_MACHINE = "provisioner.lab.commands.machine"
_ITEMS = "provisioner.lab.commands.items"
_MANAGEMENT = "Microsoft.PowerShell.Management"
_CMDLETS = "Microsoft.PowerShell.Commands"
_HYPERV = "Microsoft.HyperV.PowerShell.Commands"
_ISCSI = "Microsoft.Iscsi.Target.Commands"
_HYPERV_FEATURE = "Hyper-V-PowerShell"
_ISCSI_FEATURE = "FS-iSCSITarget-Server"

_COMPUTER = Parameter("ComputerName", "array", aliases=("Cn",))
_FORCE = Parameter("Force", "switch")
_ASK = (Parameter("WhatIf", "switch", aliases=("wi",)), Parameter("Confirm", "switch", aliases=("cf",)))
_SERVICE_NAME = Parameter("Name", "array", 0, aliases=("ServiceName",))
_SERVICE = (
    _SERVICE_NAME,
    Parameter("DisplayName", "array"),
    Parameter("InputObject", "any"),
    Parameter("PassThru", "switch"),
    Parameter("Include", "array"),
    Parameter("Exclude", "array"),
    *_ASK,
)
_PATH = (
    Parameter("Path", "array", 0),
    Parameter("LiteralPath", "array", aliases=("PSPath",)),
)
_FILTERS = (
    Parameter("Filter", "string"),
    Parameter("Include", "array"),
    Parameter("Exclude", "array"),
    _FORCE,
)

SERVICES = (
    CommandSpec(
        "Get-Service",
        f"{_MACHINE}.get_service:run",
        _MANAGEMENT,
        (_SERVICE_NAME, Parameter("DisplayName", "array"), Parameter("InputObject", "any"), _COMPUTER),
        type_name=f"{_CMDLETS}.GetServiceCommand",
    ),
    CommandSpec(
        "Start-Service",
        f"{_MACHINE}.start_service:run",
        _MANAGEMENT,
        _SERVICE,
        type_name=f"{_CMDLETS}.StartServiceCommand",
    ),
    CommandSpec(
        "Stop-Service",
        f"{_MACHINE}.stop_service:run",
        _MANAGEMENT,
        (*_SERVICE, _FORCE, Parameter("NoWait", "switch")),
        type_name=f"{_CMDLETS}.StopServiceCommand",
    ),
)

SYSTEM = (
    CommandSpec(
        "Get-WindowsFeature",
        f"{_MACHINE}.get_windows_feature:run",
        "ServerManager",
        (Parameter("Name", "array", 0), Parameter("ComputerName", "string"), Parameter("LogPath", "string")),
        type_name="Microsoft.Windows.ServerManager.Commands.GetWindowsFeatureCommand",
    ),
    CommandSpec(
        "Get-NetAdapter",
        f"{_MACHINE}.get_net_adapter:run",
        "NetAdapter",
        (
            Parameter("Name", "array", 0, aliases=("ifAlias", "InterfaceAlias")),
            Parameter("InterfaceDescription", "array", aliases=("ifDesc",)),
            Parameter("IncludeHidden", "switch"),
            Parameter("Physical", "switch"),
        ),
    ),
    CommandSpec(
        "Get-NetIPAddress",
        f"{_MACHINE}.get_net_ip_address:run",
        "NetTCPIP",
        (
            Parameter("IPAddress", "array", 0, aliases=("LocalAddress",)),
            Parameter("InterfaceAlias", "array", aliases=("ifAlias",)),
            Parameter("AddressFamily", "array"),
        ),
    ),
)

HYPERV = (
    CommandSpec(
        "Get-VMSwitch",
        f"{_MACHINE}.get_vm_switch:run",
        "Hyper-V",
        (Parameter("Name", "array", 0, aliases=("SwitchName",)), Parameter("SwitchType", "array"), _COMPUTER),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMSwitch",
    ),
    CommandSpec(
        "Remove-VMSwitch",
        f"{_MACHINE}.remove_vm_switch:run",
        "Hyper-V",
        (Parameter("Name", "array", 0, aliases=("SwitchName",)), _FORCE, _COMPUTER, *_ASK),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.RemoveVMSwitch",
    ),
    CommandSpec(
        "Get-VM",
        f"{_MACHINE}.get_vm:run",
        "Hyper-V",
        (Parameter("Name", "array", 0, aliases=("VMName",)), _COMPUTER),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVM",
    ),
)

ISCSI = (
    CommandSpec(
        "Get-IscsiServerTarget",
        f"{_MACHINE}.get_iscsi_server_target:run",
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
        f"{_MACHINE}.get_iscsi_virtual_disk:run",
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

ITEMS = (
    CommandSpec(
        "Get-Item",
        f"{_ITEMS}.get_item:run",
        _MANAGEMENT,
        (*_PATH, *_FILTERS),
        type_name=f"{_CMDLETS}.GetItemCommand",
    ),
    CommandSpec(
        "Get-ChildItem",
        f"{_ITEMS}.get_child_item:run",
        _MANAGEMENT,
        (
            *_PATH,
            Parameter("Filter", "string", 1),
            *_FILTERS[1:],
            Parameter("Recurse", "switch", aliases=("s",)),
            Parameter("Name", "switch"),
            Parameter("File", "switch", aliases=("af",)),
            Parameter("Directory", "switch", aliases=("ad", "d")),
            # Of the certificate provider: real ones have it only where the path leads there.
            Parameter("DocumentEncryptionCert", "switch"),
        ),
        type_name=f"{_CMDLETS}.GetChildItemCommand",
    ),
    CommandSpec(
        "Test-Path",
        f"{_ITEMS}.path_exists:run",
        _MANAGEMENT,
        (
            *_PATH,
            *_FILTERS[:3],
            Parameter("PathType", "any", aliases=("Type",)),
            Parameter("IsValid", "switch"),
        ),
        type_name=f"{_CMDLETS}.TestPathCommand",
    ),
    CommandSpec(
        "Get-Content",
        f"{_ITEMS}.get_content:run",
        _MANAGEMENT,
        (
            *_PATH,
            *_FILTERS,
            Parameter("Raw", "switch"),
            Parameter("Encoding", "any"),
            Parameter("TotalCount", "int", aliases=("First", "Head")),
            Parameter("ReadCount", "int"),
        ),
        type_name=f"{_CMDLETS}.GetContentCommand",
    ),
    CommandSpec(
        "Get-FileHash",
        f"{_ITEMS}.get_file_hash:run",
        "Microsoft.PowerShell.Utility",
        (*_PATH, Parameter("Algorithm", "string")),
    ),
    CommandSpec(
        "Get-ItemProperty",
        f"{_ITEMS}.get_item_property:run",
        _MANAGEMENT,
        (*_PATH, Parameter("Name", "array", 1, aliases=("PSProperty",)), *_FILTERS[:3]),
        type_name=f"{_CMDLETS}.GetItemPropertyCommand",
    ),
    CommandSpec(
        "Get-Acl",
        f"{_ITEMS}.get_acl:run",
        "Microsoft.PowerShell.Security",
        (*_PATH, *_FILTERS[:3], Parameter("Audit", "switch")),
        type_name=f"{_CMDLETS}.GetAclCommand",
    ),
    CommandSpec(
        "Remove-Item",
        f"{_ITEMS}.remove_item:run",
        _MANAGEMENT,
        (*_PATH, *_FILTERS, Parameter("Recurse", "switch"), *_ASK),
        type_name=f"{_CMDLETS}.RemoveItemCommand",
    ),
)

AREA_COMMANDS: tuple[CommandSpec, ...] = (*SERVICES, *SYSTEM, *HYPERV, *ISCSI, *ITEMS)
