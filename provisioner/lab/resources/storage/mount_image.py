"""MountImage of StorageDsc 6.0 (class DSC_MountImage): what is mounted is lost at a boot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.storage.images import Images
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, invalid_operation, is_same
from provisioner.lab.resources.calls import written
from provisioner.lab.resources.storage.lookup import drive_letter

_RULES = (
    Rule("ImagePath", is_mandatory=True, may_be_empty=False),
    Rule("DriveLetter"),
    Rule("StorageType", allowed=("ISO", "VHD", "VHDx", "VHDSet")),
    Rule("Access", allowed=("ReadOnly", "ReadWrite")),
    Rule("Ensure", allowed=("Present", "Absent")),
)


class MountImage:
    """Stateless."""

    class_name = "DSC_MountImage"
    module = "StorageDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        path = bound["ImagePath"]
        images = context.machine.area(Images)
        mounted = written(context, "Get-DiskImage", partial(images.find, path))
        if mounted is None:
            return {"ImagePath": path, "Ensure": "Absent"}
        return {
            "ImagePath": path,
            "DriveLetter": images.letter(mounted),
            "StorageType": mounted.type,
            "Access": mounted.access,
            "Ensure": "Present",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        letter = _checked(bound, context)
        now = await self.get({"ImagePath": bound["ImagePath"]}, context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return bool(now["Ensure"] == "Absent")
        return (
            now["Ensure"] == "Present"
            and is_same(now["DriveLetter"], letter)
            and not _other_access(bound, now)
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: an image with another letter or access is mounted anew."""
        bound = bind("Set-TargetResource", _RULES, properties)
        letter = _checked(bound, context)
        now = await self.get({"ImagePath": bound["ImagePath"]}, context)
        await context.sleep(context.machine.durations.disk_s)
        images, path = context.machine.area(Images), bound["ImagePath"]
        is_mounted = now["Ensure"] == "Present"
        wants = is_same(bound.get("Ensure", "Present"), "Present")
        wrong = (
            is_mounted and wants and (not is_same(now["DriveLetter"], letter) or _other_access(bound, now))
        )
        if is_mounted and (wrong or not wants):
            written(context, "Dismount-DiskImage", partial(images.dismount, path))
        if wants and (wrong or not is_mounted):
            kind = bound.get("StorageType", "")
            mount = partial(images.mount, path, letter, kind, bound.get("Access", "ReadWrite"))
            written(context, "Mount-DiskImage", mount)


def _other_access(bound: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return now["StorageType"] != "ISO" and "Access" in bound and not is_same(now["Access"], bound["Access"])


def _checked(bound: Mapping[str, Any], context: ResourceContext) -> str:
    """Refuse what does not go together; give the letter.

    Raises:
        ResourceError: a parameter is missing or too many, or the file is not there.
    """
    if is_same(bound.get("Ensure", "Present"), "Absent"):
        for name in ("DriveLetter", "StorageType", "Access"):
            if name in bound:
                raise invalid_operation(f"When Ensure is 'Absent', '{name}' must not be specified.")
        return ""
    if not context.machine.files.is_file(bound["ImagePath"]):
        raise invalid_operation(f"Disk Image file '{bound['ImagePath']}' was not found.")
    if "DriveLetter" not in bound:
        raise invalid_operation("When Ensure is 'Present', 'DriveLetter' must be specified.")
    return drive_letter(bound["DriveLetter"])
