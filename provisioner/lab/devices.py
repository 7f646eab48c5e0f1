"""The ``lab:`` setting ``pci_devices``: PCI Express devices of a node that virtual machines could be given.

Values and their reader only; what becomes of the devices is an area of the machine.
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
