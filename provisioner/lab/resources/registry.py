"""Which simulated resource stands for which class of which module."""

from __future__ import annotations

from provisioner.lab.resources.base import SimulatedResource
from provisioner.lab.resources.configuration_file import ConfigurationFile
from provisioner.lab.resources.iscsi_server_target import IscsiServerTarget
from provisioner.lab.resources.iscsi_virtual_disk import IscsiVirtualDisk
from provisioner.lab.resources.msi_package import MsiPackage
from provisioner.lab.resources.power_plan import PowerPlan
from provisioner.lab.resources.service import Service
from provisioner.lab.resources.vm_switch import VMSwitch
from provisioner.lab.resources.windows_feature import WindowsFeature

#: One line per resource. Class names of different modules coincide, so both parts count.
RESOURCES: tuple[SimulatedResource, ...] = (
    ConfigurationFile(),
    IscsiServerTarget(),
    IscsiVirtualDisk(),
    MsiPackage(),
    PowerPlan(),
    Service(),
    VMSwitch(),
    WindowsFeature(),
)


def find(class_name: str, module: str) -> SimulatedResource | None:
    """Look a resource up by class and module, both without regard to case."""
    wanted = (class_name.casefold(), module.casefold())
    return next(
        (item for item in RESOURCES if (item.class_name.casefold(), item.module.casefold()) == wanted), None
    )
