"""The ``lab:`` settings ``pci_devices`` (devices virtual machines could be given) and ``installation``.

The latter is what the Windows of a node is as an image: firmware, drivers, how far Setup is. Values and their
readers only; what becomes of the devices is an area of the machine. Source of the states: Microsoft's page
"Windows Setup States".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from provisioner.lab import trees


@dataclass(frozen=True, slots=True)
class PciDeviceSpec:
    """One device. ``acs``: everything between it and the processor has Access Control Services.

    ``reserved_memory``: the firmware keeps memory for it. ``mitigation_driver``: its vendor has a driver that lets
    it leave the host without ``-Force``. An empty instance id follows from the place.
    """

    location_path: str
    name: str = "3D Video Controller"
    instance_id: str = ""
    acs: bool = True
    reserved_memory: bool = False
    mitigation_driver: bool = True

    @property
    def instance(self) -> str:
        """Instance id on the host."""
        number = sum(self.location_path.casefold().encode())
        return self.instance_id or f"PCI\\VEN_10DE&DEV_1EB8&SUBSYS_12A210DE&REV_A1\\4&{number:X}&0&0008"


#: Reader of the setting, to stand among those of ``lab.spec``.
PCI_DEVICES: Final[trees.Reader] = trees.list_of(
    trees.record(
        PciDeviceSpec,
        {
            "location_path": trees.text,
            "name": trees.text,
            "instance_id": trees.text,
            "acs": trees.boolean,
            "reserved_memory": trees.boolean,
            "mitigation_driver": trees.boolean,
        },
        ["location_path"],
    )
)

#: How a machine can be started: by the BIOS or its like, or by UEFI.
FIRMWARES: Final = ("bios", "uefi")
STATES: Final = (
    "IMAGE_STATE_COMPLETE",
    "IMAGE_STATE_UNDEPLOYABLE",
    "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE",
    "IMAGE_STATE_GENERALIZE_RESEAL_TO_AUDIT",
    "IMAGE_STATE_SPECIALIZE_RESEAL_TO_OOBE",
    "IMAGE_STATE_SPECIALIZE_RESEAL_TO_AUDIT",
)
#: When Windows loads a driver.
STARTS: Final = ("Boot", "System", "Auto", "Manual", "Disabled")


@dataclass(frozen=True, slots=True)
class DriverSpec:
    """A driver. ``inf`` is its package in the driver store, empty for one that comes with Windows.

    ``service`` is what loads it, empty while no device was there that wants it: then it is in the store only.
    """

    inf: str = ""
    service: str = ""
    start: str = "Manual"
    provider: str = "Red Hat, Inc."
    device_class: str = "System"
    version: str = "100.95.104.26200"


#: Drivers of Hyper-V's devices, which every Windows Server brings along: bus, disk and network.
IN_BOX: Final = (
    DriverSpec(service="vmbus", start="Boot"),
    DriverSpec(service="storvsc", start="Boot"),
    DriverSpec(service="netvsc"),
)


@dataclass(frozen=True, slots=True)
class InstallationSpec:
    """How the node's Windows is installed. ``rearms``: how often activation may still be reset."""

    firmware: str = "uefi"
    state: str = STATES[0]
    rearms: int = 1001
    drivers: tuple[DriverSpec, ...] = ()


#: Reader of the setting, to stand among those of ``lab.spec``.
INSTALLATION: Final[trees.Reader] = trees.record(
    InstallationSpec,
    {
        "firmware": trees.one_of(FIRMWARES),
        "state": trees.one_of(STATES),
        "rearms": trees.integer,
        "drivers": trees.list_of(
            trees.record(
                DriverSpec,
                {
                    "inf": trees.text,
                    "service": trees.text,
                    "start": trees.one_of(STARTS),
                    "provider": trees.text,
                    "device_class": trees.text,
                    "version": trees.text,
                },
            )
        ),
    },
)
