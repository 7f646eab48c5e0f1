"""Commands of Hyper-V, one line each; they come with the module for PowerShell."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK, COMPUTER, FORCE

_HERE = "provisioner.lab.commands.hyperv"
_HYPERV = "Microsoft.HyperV.PowerShell.Commands"
_HYPERV_FEATURE = "Hyper-V-PowerShell"

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
)
