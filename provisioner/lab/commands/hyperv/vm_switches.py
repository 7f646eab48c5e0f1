"""Cmdlets that make, change and rename switches and their teams."""

from __future__ import annotations

import uuid
from typing import Any, Final

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
        bool(given.get("EnableIov")),
        str(given.get("Notes") or ""),
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
                fields: dict[str, Any] = {}
                if "AllowManagementOS" in given:
                    fields["allow_management_os"] = bool(given["AllowManagementOS"])
                if "Notes" in given:
                    fields["notes"] = str(given["Notes"])
                if fields:
                    hyperv.set_switch(switch, **fields)


async def rename(invocation: Invocation) -> None:
    """Give a switch another name."""
    hyperv, given = invocation.node.machine.hyperv, invocation.parameters
    for name in await _names(invocation):
        with reporting(invocation, "Rename-VMSwitch", _CMDLETS + "RenameVMSwitch", name):
            for switch in hyperv.switches(name):
                hyperv.rename_switch(switch, str(given["NewName"]))


async def set_team(invocation: Invocation) -> None:
    """Let a team share its load in another way."""
    hyperv, given = invocation.node.machine.hyperv, invocation.parameters
    for name in await _names(invocation):
        with reporting(invocation, "Set-VMSwitchTeam", _CMDLETS + "SetVMSwitchTeam", name):
            for switch in hyperv.switches(name):
                if "LoadBalancingAlgorithm" in given:
                    hyperv.balance(switch, str(given["LoadBalancingAlgorithm"]))


async def add_member(invocation: Invocation) -> None:
    """Put adapters into the team of a switch."""
    machine, given = invocation.node.machine, invocation.parameters
    name = str(given["VMSwitchName"])
    with reporting(
        invocation, "Add-VMSwitchTeamMember", _CMDLETS + "AddVMSwitchTeamMember", given["VMSwitchName"]
    ):
        (switch, *_others) = machine.hyperv.switches(name)
        for adapter in texts(given.get("NetAdapterName")):
            switch = machine.hyperv.add_member(switch, adapter)


async def remove_member(invocation: Invocation) -> None:
    """Take adapters out of the team of a switch."""
    machine, given = invocation.node.machine, invocation.parameters
    name = str(given["VMSwitchName"])
    with reporting(
        invocation, "Remove-VMSwitchTeamMember", _CMDLETS + "RemoveVMSwitchTeamMember", given["VMSwitchName"]
    ):
        (switch, *_others) = machine.hyperv.switches(name)
        for adapter in texts(given.get("NetAdapterName")):
            found = machine.network.find(adapter)
            switch = machine.hyperv.remove_member(switch, found.description if found else adapter)


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
