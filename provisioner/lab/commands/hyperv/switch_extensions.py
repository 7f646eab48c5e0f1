"""Get-, Enable- and Disable-VMSwitchExtension."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.hyperv import Switch
from provisioner.lab.machine.hyperv.extensions import Extension, SwitchExtensions
from provisioner.lab.machine.openvswitch.bridges import OpenVSwitch
from provisioner.lab.values import EnumValue, PsObject

_NAMESPACE: Final = "Microsoft.HyperV.PowerShell."
_KINDS: Final = {"Unknown": 0, "Capture": 1, "Filter": 2, "Forwarding": 3}


async def get(invocation: Invocation) -> None:
    """Write the extensions of each switch."""
    machine = invocation.node.machine
    wanted = {name.casefold() for name in texts(invocation.parameters.get("Name"))}
    with reporting(invocation, "Get-VMSwitchExtension", f"{_NAMESPACE}Commands.GetVMSwitchExtension"):
        for switch in await _switches(invocation):
            for item, is_enabled in machine.area(SwitchExtensions).of(switch):
                if not wanted or item.name.casefold() in wanted:
                    invocation.output.write(
                        _object(item, switch, machine.computer_name, is_enabled=is_enabled)
                    )


async def enable(invocation: Invocation) -> None:
    """Enable an extension on switches."""
    await _choose(invocation, is_enabled=True)


async def disable(invocation: Invocation) -> None:
    """Disable an extension on switches."""
    await _choose(invocation, is_enabled=False)


async def _choose(invocation: Invocation, *, is_enabled: bool) -> None:
    machine, verb = invocation.node.machine, "Enable" if is_enabled else "Disable"
    extensions = machine.area(SwitchExtensions)
    command = f"{verb}-VMSwitchExtension"
    with reporting(invocation, command, f"{_NAMESPACE}Commands.{verb}VMSwitchExtension"):
        for switch in await _switches(invocation):
            for name in texts(invocation.parameters.get("Name")):
                found = next(
                    (item for item, _ in extensions.of(switch) if item.name.casefold() == name.casefold()),
                    None,
                )
                if found is None:
                    raise MachineError(
                        f'Hyper-V was unable to find a virtual switch extension with name "{name}".',
                        "InvalidParameter",
                        "InvalidArgument",
                        f"{_NAMESPACE}VirtualizationException",
                    )
                extensions.choose(switch, found.name, is_enabled=is_enabled)
                invocation.output.write(_object(found, switch, machine.computer_name, is_enabled=is_enabled))
    machine.area(OpenVSwitch).follow()


async def _switches(invocation: Invocation) -> list[Switch]:
    """Give the switches that are named, or piped in."""
    hyperv = invocation.node.machine.hyperv
    names = texts(invocation.parameters.get("VMSwitchName"))
    if names:
        return [switch for name in names for switch in hyperv.switches(name)]
    piped = [item async for item in invocation.input]
    ids = {str(item.properties["Id"]) for item in piped if isinstance(item, PsObject)}
    return [switch for switch in hyperv.switches() if switch.id in ids]


def _object(item: Extension, switch: Switch, computer: str, *, is_enabled: bool) -> PsObject:
    return PsObject(
        (
            _NAMESPACE + "VMSwitchExtension",
            _NAMESPACE + "VirtualizationObject",
            "System.Object",
        ),
        {
            "Name": item.name,
            "Vendor": item.vendor,
            "ExtensionType": EnumValue(_NAMESPACE + "VMSwitchExtensionType", item.kind, _KINDS[item.kind]),
            "SwitchId": switch.id,
            "SwitchName": switch.name,
            "Enabled": is_enabled,
            "Running": is_enabled,
            "ComputerName": computer,
            "IsDeleted": False,
        },
        text=f'VMSwitchExtension (Name = "{item.name}")',
    )
