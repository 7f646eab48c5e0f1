r"""PCI Express devices of a machine: on the host, disabled there, off it, or with a virtual machine.

A device is named by its location path. Off the host its instance id begins with PCIP instead of PCI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from provisioner.lab.devices import PciDeviceSpec
from provisioner.lab.machine.area import Area, MachineError

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_EXCEPTION: Final = "Microsoft.HyperV.PowerShell.VirtualizationException"
#: Why Get-VMHost says that the host cannot share devices; empty where it can.
NO_IOMMU: Final = (
    "Ensure that the system has chipset support for SR-IOV and that I/O virtualization is enabled in the BIOS.",
)
_NO_MITIGATION: Final = (
    "The operation failed because the device does not have a mitigation driver installed that lets it be used "
    "securely. The manufacturer of the device supplies such a driver."
)


@dataclass(slots=True)
class Device:
    """One device. ``state``: Host, Disabled (on the host), Dismounted or Assigned, to ``machine``."""

    spec: PciDeviceSpec
    state: str = "Host"
    machine: str = ""

    @property
    def is_off(self) -> bool:
        """Whether the device is off the host."""
        return self.state in {"Dismounted", "Assigned"}

    @property
    def instance(self) -> str:
        """Instance id, where the device is now."""
        return f"PCIP{self.spec.instance[3:]}" if self.is_off else self.spec.instance


class Devices(Area["Machine"]):
    """All devices that could leave the host, by location path without regard to case."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._devices = {item.location_path.casefold(): Device(item) for item in owner.pci_devices}

    def all(self) -> tuple[Device, ...]:
        """Give all devices."""
        return tuple(self._devices.values())

    def find(self, location_path: str) -> Device | None:
        """Look a device up by its place, wherever it is now."""
        return self._devices.get(location_path.casefold())

    def free(self) -> list[Device]:
        """Give the devices that are off the host and with no machine (Get-VMHostAssignableDevice).

        Raises:
            MachineError: Hyper-V does not answer.
        """
        self._ask("Get-VMHostAssignableDevice")
        return [item for item in self.all() if item.state == "Dismounted"]

    def assigned(self) -> list[Device]:
        """Give the devices that machines have (Get-VMAssignableDevice).

        Raises:
            MachineError: Hyper-V does not answer.
        """
        self._ask("Get-VMAssignableDevice")
        return [item for item in self.all() if item.state == "Assigned"]

    def enable(self, device: Device, *, enabled: bool) -> None:
        """Enable or disable a device of the host (Enable-PnpDevice, Disable-PnpDevice)."""
        self.owner.ledger.attempt("Enable-PnpDevice" if enabled else "Disable-PnpDevice")
        device.state = "Host" if enabled else "Disabled"
        self._changed(device)

    def dismount(self, location_path: str, *, force: bool) -> None:
        """Take a device off the host (Dismount-VMHostAssignableDevice).

        Raises:
            MachineError: there is no such device on the host, it is in use, or it may not leave.
        """
        self._ask("Dismount-VMHostAssignableDevice")
        device = self.find(location_path)
        if device is None or device.is_off:
            raise _refusal(f'Device not found by the location path "{location_path}".', "ObjectNotFound")
        if not self.owner.has_iommu or not device.spec.acs or device.spec.reserved_memory:
            raise _refusal("The operation failed. The device cannot be assigned.", "NotSpecified")
        if device.state != "Disabled":
            raise _refusal("The operation failed because the device is in use by the host.", "ResourceBusy")
        if not device.spec.mitigation_driver and not force:
            raise _refusal(_NO_MITIGATION, "NotSpecified")
        device.state = "Dismounted"
        self._changed(device)

    def mount(self, location_path: str) -> None:
        """Give a device back to the host, where it is disabled (Mount-VMHostAssignableDevice).

        Raises:
            MachineError: no free device is off the host there.
        """
        self._ask("Mount-VMHostAssignableDevice")
        device = self.find(location_path)
        if device is None or device.state != "Dismounted":
            raise _refusal(f'Device not found by the location path "{location_path}".', "ObjectNotFound")
        device.state = "Disabled"
        self._changed(device)

    def _ask(self, cmdlet: str) -> None:
        self.owner.ledger.attempt(cmdlet)
        self.owner.hyperv.demand_active()

    def _changed(self, device: Device) -> None:
        self.owner.ledger.changed("pci_devices", f"{device.spec.location_path}: {device.state}")

    def to_plain(self) -> dict[str, dict[str, str]]:
        """Give where the devices are."""
        return {
            item.spec.location_path: {"state": item.state, "machine": item.machine} for item in self.all()
        }

    def load(self, plain: dict[str, dict[str, str]]) -> None:
        """Take over what ``to_plain`` gave; a place that is not known yet gets a plain device."""
        for path, values in plain.items():
            device = self._devices.setdefault(path.casefold(), Device(PciDeviceSpec(path)))
            device.state = values.get("state", "Host")
            device.machine = values.get("machine", "")


def _refusal(message: str, category: str) -> MachineError:
    return MachineError(message, "OperationFailed", category, _EXCEPTION)
