"""AssignableDevice of ProvisionerDsc (class PROV_AssignableDevice): a device off the host, or back on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.hyperv.devices import NO_IOMMU, Device, Devices
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error
from provisioner.lab.resources.hyperv.presence import demand_hyperv, is_at_work

_CMDLETS: Final = "Microsoft.HyperV.PowerShell.Commands."
_RULES = (
    Rule("LocationPath", may_be_empty=False, is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Force", "boolean"),
)


class AssignableDevice:
    """Stateless. A device that a virtual machine has is off the host."""

    class_name = "PROV_AssignableDevice"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        demand_hyperv(context)
        path = bound["LocationPath"]
        device = context.machine.area(Devices).find(path)
        return {
            "LocationPath": path,
            "Ensure": "Present" if _is_off(path, context) else "Absent",
            "Force": None,
            "InstanceId": None if device is None or device.machine else device.instance,
            "VirtualMachine": _holder(path, context),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        is_wanted = is_same(bound.get("Ensure", "Present"), "Present")
        if not is_at_work(context):
            return not is_wanted
        return _is_off(bound["LocationPath"], context) is is_wanted

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        demand_hyperv(context)
        path = bound["LocationPath"]
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            _give_back(path, context)
        elif not _is_off(path, context):
            _take_off(path, context, force=bound.get("Force", False))


def _take_off(path: str, context: ResourceContext, *, force: bool) -> None:
    devices = context.machine.area(Devices)
    device = devices.find(path)
    if device is None:
        raise resource_error(
            f"No PCI device is at '{path}'. Get-PnpDeviceProperty -KeyName DEVPKEY_Device_LocationPaths shows "
            "where devices are.",
            "DeviceNotFound",
            "ObjectNotFound",
        )
    _check(device, context)
    with calling("Disable-PnpDevice"):
        devices.enable(device, enabled=False)
    try:
        devices.dismount(path, force=force)
    except MachineError as error:
        with calling("Enable-PnpDevice"):
            devices.enable(device, enabled=True)
        raise resource_error(
            f"The device at '{path}' could not be taken off the host, which keeps it: {error.message}",
            "DeviceNotDismounted",
            "InvalidResult",
        ) from None


def _check(device: Device, context: ResourceContext) -> None:
    path = device.spec.location_path
    if not context.machine.has_iommu:
        raise _incapable(
            "PlatformNotCapable",
            "The host cannot keep a device to one virtual machine: it has no IOMMU (VT-d, AMD-Vi), or the "
            f"firmware has it switched off. Windows says: {' '.join(NO_IOMMU)}",
        )
    if not device.spec.acs:
        raise _incapable(
            "AcsNotSupported",
            f"Something between the device at '{path}' and the processor has no Access Control Services (ACS): "
            "what it sends could reach other devices.",
        )
    if device.spec.reserved_memory:
        raise _incapable(
            "DeviceNeedsHostMemory",
            f"The firmware keeps memory of its own for the device at '{path}', so it cannot leave the host.",
        )


def _give_back(path: str, context: ResourceContext) -> None:
    devices = context.machine.area(Devices)
    holder = _holder(path, context)
    if holder:
        raise resource_error(
            f"The virtual machine '{holder}' has the device at '{path}'. Take it away from the machine first.",
            "DeviceInUse",
            "ResourceBusy",
        )
    device = devices.find(path)
    if device is None or not _is_off(path, context):
        return
    with calling(_CMDLETS + "MountVMHostAssignableDevice"):
        devices.mount(path)
    with calling("Enable-PnpDevice"):
        devices.enable(device, enabled=True)


def _is_off(path: str, context: ResourceContext) -> bool:
    devices = context.machine.area(Devices)
    with calling(_CMDLETS + "GetVMHostAssignableDevice"):
        free = devices.free()
    return _holder(path, context) is not None or any(is_same(item.spec.location_path, path) for item in free)


def _holder(path: str, context: ResourceContext) -> str | None:
    with calling(_CMDLETS + "GetVMAssignableDevice"):
        assigned = context.machine.area(Devices).assigned()
    return next((item.machine for item in assigned if is_same(item.spec.location_path, path)), None)


def _incapable(error_id: str, message: str) -> ResourceError:
    return resource_error(message, error_id, "NotImplemented")
