"""Commands of the module Storage, one line each; functions over CIM classes, always there."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter

_HERE = "provisioner.lab.commands.storage.disks"

COMMANDS = (
    CommandSpec(
        "Get-Disk",
        f"{_HERE}:get_disk",
        "Storage",
        (
            Parameter("Number", "array", 0, aliases=("DeviceId",)),
            Parameter("UniqueId", "array", aliases=("Id",)),
            Parameter("FriendlyName", "array"),
            Parameter("SerialNumber", "array"),
        ),
    ),
    CommandSpec(
        "Get-PhysicalDisk",
        f"{_HERE}:get_physical_disk",
        "Storage",
        (
            Parameter("FriendlyName", "array", 0),
            Parameter("UniqueId", "array", aliases=("Id",)),
            Parameter("SerialNumber", "array"),
        ),
    ),
    CommandSpec(
        "Get-Partition",
        f"{_HERE}:get_partition",
        "Storage",
        (
            Parameter("DiskNumber", "array", 0),
            Parameter("PartitionNumber", "array", 1),
            Parameter("DriveLetter", "array"),
        ),
    ),
    CommandSpec(
        "Get-Volume",
        f"{_HERE}:get_volume",
        "Storage",
        (
            Parameter("DriveLetter", "array", 0),
            Parameter("FileSystemLabel", "array", aliases=("FriendlyName",)),
        ),
    ),
)
