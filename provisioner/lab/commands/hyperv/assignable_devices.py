"""Cmdlets of Discrete Device Assignment: which devices are off the host, taking them off and giving them back."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import value_of
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.machine.hyperv.devices import Device, Devices
from provisioner.lab.values import PsObject

_NAMESPACE: Final = "Microsoft.HyperV.PowerShell."
_CMDLETS: Final = _NAMESPACE + "Commands."


async def get_host(invocation: Invocation) -> None:
    """Write the devices that are off the host and free."""
    machine = invocation.node.machine
    with reporting(invocation, "Get-VMHostAssignableDevice", _CMDLETS + "GetVMHostAssignableDevice"):
        for device in machine.area(Devices).free():
            invocation.output.write(_object("VMHostAssignableDevice", device, machine.computer_name))


async def get_assigned(invocation: Invocation) -> None:
    """Write the devices of the machines that are named, or come down the pipeline."""
    machine = invocation.node.machine
    names = texts(invocation.parameters.get("VMName"))
    if not names:
        names = [str(value_of(item, "Name")) async for item in invocation.input]
    wanted = {name.casefold() for name in names}
    with reporting(invocation, "Get-VMAssignableDevice", _CMDLETS + "GetVMAssignableDevice"):
        for device in machine.area(Devices).assigned():
            if device.machine.casefold() in wanted:
                invocation.output.write(_object("VMAssignedDevice", device, machine.computer_name))


async def dismount(invocation: Invocation) -> None:
    """Take a device off the host."""
    parameters = invocation.parameters
    with reporting(
        invocation, "Dismount-VMHostAssignableDevice", _CMDLETS + "DismountVMHostAssignableDevice"
    ):
        invocation.node.machine.area(Devices).dismount(
            str(parameters.get("LocationPath", "")), force=bool(parameters.get("Force"))
        )


async def mount(invocation: Invocation) -> None:
    """Give a device back to the host."""
    with reporting(invocation, "Mount-VMHostAssignableDevice", _CMDLETS + "MountVMHostAssignableDevice"):
        invocation.node.machine.area(Devices).mount(str(invocation.parameters.get("LocationPath", "")))


def _object(kind: str, device: Device, computer: str) -> PsObject:
    shown = {
        "InstanceID": device.instance,
        "Name": f"{device.spec.name} - Dismounted",
        "LocationPath": device.spec.location_path,
        "ComputerName": computer,
    }
    if device.machine:
        shown["VMName"] = device.machine
    return PsObject(
        (_NAMESPACE + kind, _NAMESPACE + "VirtualizationObject", "System.Object"),
        dict(shown),
        text=f"{kind} (LocationPath = '{device.spec.location_path}')",
    )
