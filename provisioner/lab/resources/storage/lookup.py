"""How the resources of StorageDsc find a disk and read a drive letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from provisioner.lab.machine.storage.disks import Disk, Disks
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import invalid_argument, is_same
from provisioner.lab.resources.calls import works_silently

ID_TYPES: Final = ("Number", "UniqueId", "Guid", "Location", "FriendlyName", "SerialNumber")
#: Guid and Location are no parameters of Get-Disk; the module compares them itself, which comes to the same.
_READ: Final[Mapping[str, Callable[[Disk], str]]] = {
    "number": lambda disk: str(disk.number),
    "uniqueid": lambda disk: disk.unique_id,
    "guid": lambda disk: disk.guid,
    "location": lambda disk: disk.location,
    "friendlyname": lambda disk: disk.friendly_name,
    "serialnumber": lambda disk: disk.serial,
}


def find_disk(bound: Mapping[str, Any], context: ResourceContext) -> Disk | None:
    """Find the disk of DiskId and DiskIdType; a failing query finds none."""
    if not works_silently(context, "Get-Disk"):
        return None
    read = _READ[str(bound.get("DiskIdType", "Number")).casefold()]
    found = context.machine.area(Disks).all()
    return next((disk for disk in found if is_same(read(disk), bound["DiskId"])), None)


def drive_letter(text: str) -> str:
    """Read ``X`` or ``X:``.

    Raises:
        ResourceError: anything else.
    """
    found = re.fullmatch(r"([A-Za-z]):?", text)
    if found is None:
        raise invalid_argument(f"Drive Letter format '{text}' is not valid.", "DriveLetter")
    return found[1].upper()
