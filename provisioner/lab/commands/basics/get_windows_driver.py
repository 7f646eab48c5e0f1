"""Get-WindowsDriver: packages of the driver store that did not come with Windows."""

from __future__ import annotations

import ntpath

from provisioner.lab.commands.base import Invocation
from provisioner.lab.devices import DriverSpec
from provisioner.lab.values import PsObject

_OBJECTS = "Microsoft.Dism.Commands."
_STORE = r"C:\Windows\System32\DriverStore\FileRepository"


async def run(invocation: Invocation) -> None:
    """Write one object for each package; images that do not run and -All have no parameter here."""
    packages = [driver for driver in invocation.node.machine.installation.drivers if driver.inf]
    for number, driver in enumerate(packages):
        invocation.output.write(_package(number, driver))


def _package(number: int, driver: DriverSpec) -> PsObject:
    stem = ntpath.splitext(driver.inf)[0].casefold()
    values = {
        "Driver": f"oem{number}.inf",
        "OriginalFileName": rf"{_STORE}\{stem}.inf_amd64_0123456789abcdef\{driver.inf.casefold()}",
        "Inbox": False,
        "ClassName": driver.device_class,
        "BootCritical": driver.start == "Boot",
        "ProviderName": driver.provider,
        "Version": driver.version,
    }
    names = ("BasicDriverObject", "ImageObject", "BaseDismObject")
    return PsObject((*(f"{_OBJECTS}{name}" for name in names), "System.Object"), values)
