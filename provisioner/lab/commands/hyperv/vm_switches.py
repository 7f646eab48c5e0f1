"""New-VMSwitch, Set-VMSwitch and Get-VMSwitchTeam."""

from __future__ import annotations

import uuid
from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.commands.hyperv.get_vm_switch import switch_object
from provisioner.lab.machine.ground.hyperv import Switch, SwitchOptions
from provisioner.lab.values import EnumValue, PsObject

_NAMESPACE: Final = "Microsoft.HyperV.PowerShell."
_CMDLETS: Final = _NAMESPACE + "Commands."
_ALGORITHMS: Final = {"HyperVPort": 4, "Dynamic": 5}


async def new(invocation: Invocation) -> None:
    """Make a switch: with adapters an external one, else of the given type."""
    machine, given = invocation.node.machine, invocation.parameters
    adapters = texts(given.get("NetAdapterName"))
    for description in texts(given.get("NetAdapterInterfaceDescription")):
        adapter = machine.network.described(description)
        adapters.append(adapter.name if adapter else description)
    kind = "External" if adapters else str(given.get("SwitchType") or "Private")
    options = SwitchOptions(
        given.get("AllowManagementOS"),
        str(given.get("MinimumBandwidthMode") or "Default"),
        bool(given.get("EnableEmbeddedTeaming")) or len(adapters) > 1,
        str(given.get("Id") or ""),
    )
    with reporting(invocation, "New-VMSwitch", _CMDLETS + "NewVMSwitch", given.get("Name")):
        await invocation.node.sleep(machine.durations.switch_s)
        made = machine.hyperv.new_switch(str(given["Name"]), kind.capitalize(), adapters, options)
        invocation.output.write(switch_object(made, machine))


async def change(invocation: Invocation) -> None:
    """Change switches in place."""
    hyperv, given = invocation.node.machine.hyperv, invocation.parameters
    for name in await _names(invocation):
        with reporting(invocation, "Set-VMSwitch", _CMDLETS + "SetVMSwitch", name):
            for switch in hyperv.switches(name):
                if "AllowManagementOS" in given:
                    hyperv.set_switch(switch, allow_management_os=bool(given["AllowManagementOS"]))


async def get_team(invocation: Invocation) -> None:
    """Write the teams of switches."""
    machine = invocation.node.machine
    for name in await _names(invocation):
        with reporting(invocation, "Get-VMSwitchTeam", _CMDLETS + "GetVMSwitchTeam", name):
            for switch in machine.hyperv.switches(name):
                if switch.is_team:
                    invocation.output.write(_team(switch, machine.computer_name))


async def _names(invocation: Invocation) -> list[str]:
    if "Name" in invocation.parameters:
        return texts(invocation.parameters["Name"])
    return [str(item.properties["Name"]) async for item in invocation.input if isinstance(item, PsObject)]


def _team(switch: Switch, computer: str) -> PsObject:
    algorithm = switch.load_balancing or "Dynamic"
    return PsObject(
        (_NAMESPACE + "VMSwitchTeam", _NAMESPACE + "VirtualizationObject", "System.Object"),
        {
            "Name": switch.name,
            "Id": uuid.UUID(switch.id),
            "NetAdapterInterfaceDescription": list(switch.descriptions),
            "TeamingMode": EnumValue(_NAMESPACE + "VMSwitchTeamingMode", "SwitchIndependent", 1),
            "LoadBalancingAlgorithm": EnumValue(
                _NAMESPACE + "VMSwitchLoadBalancingAlgorithm", algorithm, _ALGORITHMS.get(algorithm, 0)
            ),
            "ComputerName": computer,
            "IsDeleted": False,
        },
        text=f'VMSwitchTeam (Name = "{switch.name}")',
    )
