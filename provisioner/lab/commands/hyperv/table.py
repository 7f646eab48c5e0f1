"""Commands of Hyper-V, one line each; they come with the module for PowerShell."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK, COMPUTER, FORCE

_HERE = "provisioner.lab.commands.hyperv"
_HYPERV = "Microsoft.HyperV.PowerShell.Commands"
_HYPERV_FEATURE = "Hyper-V-PowerShell"

_HOST_SETTINGS = (
    "EnableEnhancedSessionMode",
    "FibreChannelWwnn",
    "FibreChannelWwpnMaximum",
    "FibreChannelWwpnMinimum",
    "MacAddressMaximum",
    "MacAddressMinimum",
    "MaximumStorageMigrations",
    "MaximumVirtualMachineMigrations",
    "NumaSpanningEnabled",
    "UseAnyNetworkForMigration",
    "VirtualHardDiskPath",
    "VirtualMachineMigrationAuthenticationType",
    "VirtualMachineMigrationPerformanceOption",
    "VirtualMachinePath",
)

COMMANDS = (
    CommandSpec(
        "Get-VMSwitch",
        f"{_HERE}.get_vm_switch:run",
        "Hyper-V",
        (Parameter("Name", "array", 0, aliases=("SwitchName",)), Parameter("SwitchType", "array"), COMPUTER),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMSwitch",
    ),
    CommandSpec(
        "Remove-VMSwitch",
        f"{_HERE}.remove_vm_switch:run",
        "Hyper-V",
        (Parameter("Name", "array", 0, aliases=("SwitchName",)), FORCE, COMPUTER, *ASK),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.RemoveVMSwitch",
    ),
    CommandSpec(
        "Get-VM",
        f"{_HERE}.get_vm:run",
        "Hyper-V",
        (Parameter("Name", "array", 0, aliases=("VMName",)), COMPUTER),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVM",
    ),
    CommandSpec(
        "Get-VMSwitchExtension",
        f"{_HERE}.switch_extensions:get",
        "Hyper-V",
        (Parameter("VMSwitchName", "array", 0), Parameter("Name", "array", 1), COMPUTER),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMSwitchExtension",
    ),
    *(
        CommandSpec(
            f"{verb}-VMSwitchExtension",
            f"{_HERE}.switch_extensions:{verb.lower()}",
            "Hyper-V",
            (Parameter("Name", "array", 0, mandatory=True), Parameter("VMSwitchName", "array", 1), COMPUTER),
            feature=_HYPERV_FEATURE,
            type_name=f"{_HYPERV}.{verb}VMSwitchExtension",
        )
        for verb in ("Enable", "Disable")
    ),
    CommandSpec(
        "Get-VMHost",
        f"{_HERE}.vm_host:get",
        "Hyper-V",
        (COMPUTER,),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMHost",
    ),
    CommandSpec(
        "Set-VMHost",
        f"{_HERE}.vm_host:change",
        "Hyper-V",
        (
            COMPUTER,
            *(Parameter(name) for name in _HOST_SETTINGS),
            Parameter("Passthru", "switch"),
            *ASK,
        ),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.SetVMHost",
    ),
    *(
        CommandSpec(
            f"{verb}-VMMigration",
            f"{_HERE}.vm_host:{verb.lower()}_migration",
            "Hyper-V",
            (COMPUTER, Parameter("Passthru", "switch"), *ASK),
            feature=_HYPERV_FEATURE,
            type_name=f"{_HYPERV}.{verb}VMMigration",
        )
        for verb in ("Enable", "Disable")
    ),
    *(
        CommandSpec(
            f"{verb}-VMMigrationNetwork",
            f"{_HERE}.migration_networks:{verb.lower()}",
            "Hyper-V",
            (Parameter("Subnet", kind, 0, mandatory=verb != "Get"), COMPUTER, *more),
            feature=_HYPERV_FEATURE,
            type_name=f"{_HYPERV}.{verb}VMMigrationNetwork",
        )
        for verb, kind, more in (
            ("Get", "array", ()),
            ("Add", "string", (Parameter("Priority", "int"), *ASK)),
            ("Remove", "string", ASK),
        )
    ),
    CommandSpec(
        "Get-VMHostAssignableDevice",
        f"{_HERE}.assignable_devices:get_host",
        "Hyper-V",
        (COMPUTER,),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMHostAssignableDevice",
    ),
    CommandSpec(
        "Get-VMAssignableDevice",
        f"{_HERE}.assignable_devices:get_assigned",
        "Hyper-V",
        (Parameter("VMName", "array", 0), COMPUTER),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMAssignableDevice",
    ),
    *(
        CommandSpec(
            f"{verb}-VMHostAssignableDevice",
            f"{_HERE}.assignable_devices:{verb.lower()}",
            "Hyper-V",
            (Parameter("LocationPath", "string"), *more, COMPUTER, *ASK),
            feature=_HYPERV_FEATURE,
            type_name=f"{_HYPERV}.{verb}VMHostAssignableDevice",
        )
        for verb, more in (("Mount", ()), ("Dismount", (FORCE,)))
    ),
    CommandSpec(
        "New-VMSwitch",
        f"{_HERE}.vm_switches:new",
        "Hyper-V",
        (
            Parameter("Name", "string", 0, mandatory=True, aliases=("SwitchName",)),
            Parameter("NetAdapterName", "array", aliases=("InterfaceAlias",)),
            Parameter("NetAdapterInterfaceDescription", "array"),
            Parameter("SwitchType"),
            Parameter("AllowManagementOS"),
            Parameter("MinimumBandwidthMode"),
            Parameter("EnableEmbeddedTeaming"),
            Parameter("EnableIov"),
            Parameter("Id", "string"),
            Parameter("Notes", "string"),
            COMPUTER,
            *ASK,
        ),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.NewVMSwitch",
    ),
    CommandSpec(
        "Set-VMSwitch",
        f"{_HERE}.vm_switches:change",
        "Hyper-V",
        (
            Parameter("Name", "array", 0, aliases=("SwitchName",)),
            Parameter("AllowManagementOS"),
            Parameter("Notes", "string"),
            COMPUTER,
            *ASK,
        ),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.SetVMSwitch",
    ),
    CommandSpec(
        "Rename-VMSwitch",
        f"{_HERE}.vm_switches:rename",
        "Hyper-V",
        (
            Parameter("Name", "array", 0, aliases=("SwitchName",)),
            Parameter("NewName", "string", 1, mandatory=True),
            COMPUTER,
            *ASK,
        ),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.RenameVMSwitch",
    ),
    CommandSpec(
        "Set-VMSwitchTeam",
        f"{_HERE}.vm_switches:set_team",
        "Hyper-V",
        (Parameter("Name", "array", 0), Parameter("LoadBalancingAlgorithm"), COMPUTER, *ASK),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.SetVMSwitchTeam",
    ),
    *(
        CommandSpec(
            f"{verb}-VMSwitchTeamMember",
            f"{_HERE}.vm_switches:{verb.lower()}_member",
            "Hyper-V",
            (
                Parameter("VMSwitchName", "string", 0, mandatory=True),
                Parameter("NetAdapterName", "array", aliases=("InterfaceAlias",)),
                COMPUTER,
                *ASK,
            ),
            feature=_HYPERV_FEATURE,
            type_name=f"{_HYPERV}.{verb}VMSwitchTeamMember",
        )
        for verb in ("Add", "Remove")
    ),
    CommandSpec(
        "Get-VMNetworkAdapterVlan",
        f"{_HERE}.vlans:get",
        "Hyper-V",
        (
            Parameter("VMNetworkAdapterName", "string"),
            Parameter("ManagementOS", "switch"),
            COMPUTER,
        ),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMNetworkAdapterVlan",
    ),
    CommandSpec(
        "Set-VMNetworkAdapterVlan",
        f"{_HERE}.vlans:change",
        "Hyper-V",
        (
            Parameter("VMNetworkAdapterName", "string"),
            Parameter("ManagementOS", "switch"),
            Parameter("Access", "switch"),
            Parameter("VlanId", "int"),
            Parameter("Untagged", "switch"),
            COMPUTER,
            *ASK,
        ),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.SetVMNetworkAdapterVlan",
    ),
    CommandSpec(
        "Get-VMSwitchTeam",
        f"{_HERE}.vm_switches:get_team",
        "Hyper-V",
        (Parameter("Name", "array", 0), COMPUTER),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMSwitchTeam",
    ),
    CommandSpec(
        "Get-VMNetworkAdapter",
        f"{_HERE}.get_vm_network_adapter:run",
        "Hyper-V",
        (
            Parameter("VMName", "array", 0),
            Parameter("Name", "string", aliases=("VMNetworkAdapterName",)),
            Parameter("ManagementOS", "switch"),
            Parameter("SwitchName", "string"),
            Parameter("All", "switch"),
            COMPUTER,
        ),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.GetVMNetworkAdapter",
    ),
    CommandSpec(
        "Get-VHD",
        f"{_HERE}.vhds:get",
        "Hyper-V",
        (Parameter("Path", "array", 0, mandatory=True, aliases=("FullName",)), COMPUTER),
        feature=_HYPERV_FEATURE,
        type_name="Microsoft.Vhd.PowerShell.Cmdlets.GetVhd",
    ),
    CommandSpec(
        "New-VHD",
        f"{_HERE}.vhds:new",
        "Hyper-V",
        (
            Parameter("Path", "array", 0, mandatory=True),
            Parameter("SizeBytes", position=1),
            Parameter("ParentPath", "string"),
            Parameter("Dynamic", "switch"),
            Parameter("Fixed", "switch"),
            Parameter("Differencing", "switch"),
            COMPUTER,
            *ASK,
        ),
        feature=_HYPERV_FEATURE,
        type_name="Microsoft.Vhd.PowerShell.Cmdlets.NewVhd",
    ),
    CommandSpec(
        "New-VM",
        f"{_HERE}.virtual_machines:new",
        "Hyper-V",
        (
            Parameter("Name", "string", 0, aliases=("VMName",)),
            Parameter("MemoryStartupBytes", position=1),
            Parameter("Generation", "int", 2),
            Parameter("SwitchName", "string"),
            FORCE,
            COMPUTER,
            *ASK,
        ),
        feature=_HYPERV_FEATURE,
        type_name=f"{_HYPERV}.NewVM",
    ),
    *(
        CommandSpec(
            f"{verb}-VM",
            f"{_HERE}.virtual_machines:{verb.lower()}",
            "Hyper-V",
            (Parameter("Name", "array", 0, aliases=("VMName",)), FORCE, *extra, COMPUTER, *ASK),
            feature=_HYPERV_FEATURE,
            type_name=f"{_HYPERV}.{verb}VM",
        )
        for verb, extra in (("Start", ()), ("Stop", (Parameter("TurnOff", "switch"),)), ("Remove", ()))
    ),
)
