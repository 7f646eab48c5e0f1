"""Get-Disk, Get-PhysicalDisk, Get-Partition and Get-Volume: what is attached and how it is used."""

from __future__ import annotations

from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query, value_of
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.cluster.cluster import Clusters
from provisioner.lab.machine.storage.disks import Disk, Disks, Partition
from provisioner.lab.machine.storage.spaces import StorageSpaces
from provisioner.lab.values import PsObject, UInt32, UInt64

_STORAGE: Final = "ROOT/Microsoft/Windows/Storage"


async def get_disk(invocation: Invocation) -> None:
    """Write the disks; a number or name without a disk is an error."""
    disks = invocation.node.machine.area(Disks)
    readers = {
        "Number": lambda disk: disk.number,
        "UniqueId": lambda disk: disk.unique_id,
        "FriendlyName": lambda disk: disk.friendly_name,
        "SerialNumber": lambda disk: disk.serial,
    }
    with reporting(invocation, "Get-Disk"):
        found = query(invocation, "Get-Disk", "MSFT_Disk", disks.all(), readers)
        for item in found:
            invocation.output.write(_disk(item, disks))


async def get_physical_disk(invocation: Invocation) -> None:
    """Write the disks as physical ones."""
    disks = invocation.node.machine.area(Disks)
    readers = {
        "FriendlyName": lambda disk: disk.friendly_name,
        "UniqueId": lambda disk: disk.unique_id,
        "SerialNumber": lambda disk: disk.serial,
    }
    with reporting(invocation, "Get-PhysicalDisk"):
        found = query(invocation, "Get-PhysicalDisk", "MSFT_PhysicalDisk", disks.all(), readers)
        for item in found:
            in_pool = disks.owner.world.area(StorageSpaces).pool_of(item.unique_id) is not None
            invocation.output.write(_physical(item, in_pool=in_pool))


async def get_partition(invocation: Invocation) -> None:
    """Write the partitions, of piped disks when there are any."""
    disks = invocation.node.machine.area(Disks)
    rows = disks.partitions()
    piped = [value_of(item, "Number") async for item in invocation.input]
    if piped:
        rows = [item for item in rows if item.disk in piped]
    readers = {
        "DiskNumber": lambda item: item.disk,
        "PartitionNumber": lambda item: item.number,
        "DriveLetter": lambda item: item.letter,
    }
    with reporting(invocation, "Get-Partition"):
        invocation.node.machine.ledger.attempt("Get-Partition")
        found = query(invocation, "Get-Partition", "MSFT_Partition", rows, readers)
        for item in found:
            invocation.output.write(_partition(item))


async def get_volume(invocation: Invocation) -> None:
    """Write the volumes, of piped partitions when there are any."""
    disks = invocation.node.machine.area(Disks)
    rows = [item for item in disks.partitions() if item.type == "Basic"]
    piped = [
        (value_of(item, "DiskNumber"), value_of(item, "PartitionNumber")) async for item in invocation.input
    ]
    if piped:
        rows = [item for item in rows if (item.disk, item.number) in piped]
    readers = {"DriveLetter": lambda item: item.letter, "FileSystemLabel": lambda item: item.label}
    with reporting(invocation, "Get-Volume"):
        invocation.node.machine.ledger.attempt("Get-Volume")
        found = query(invocation, "Get-Volume", "MSFT_Volume", rows, readers)
        for item in found:
            invocation.output.write(_volume(item))


def _disk(disk: Disk, disks: Disks) -> PsObject:
    return instance(
        "MSFT_Disk",
        {
            "Number": UInt32(disk.number),
            "UniqueId": disk.unique_id,
            "FriendlyName": disk.friendly_name,
            "SerialNumber": disk.serial,
            "Location": disk.location,
            "Guid": disk.guid or None,
            "Size": UInt64(disk.size),
            "AllocatedSize": UInt64(disk.size - disks.free(disk)),
            "LargestFreeExtent": UInt64(disks.free(disk)),
            "NumberOfPartitions": UInt32(len(disks.partitions(disk.number))),
            "IsOffline": disk.is_offline,
            "IsReadOnly": disk.is_read_only,
            "IsBoot": disk.number == 0,
            "IsSystem": disk.number == 0,
            "IsClustered": disks.owner.world.area(Clusters).has_disk(disk.unique_id),
            "Path": rf"\\?\disk#{disk.unique_id.lower()}",
        },
        {
            "PartitionStyle": disk.style,
            "OperationalStatus": "Offline" if disk.is_offline else "Online",
            "HealthStatus": "Healthy",
            "BusType": disk.bus,
        },
        namespace=_STORAGE,
        key=disk.unique_id,
    )


def _physical(disk: Disk, *, in_pool: bool) -> PsObject:
    return instance(
        "MSFT_PhysicalDisk",
        {
            "DeviceId": str(disk.number),
            "UniqueId": disk.unique_id,
            "FriendlyName": disk.friendly_name,
            "SerialNumber": disk.serial,
            "Size": UInt64(disk.size),
            "CanPool": disk.style == "RAW" and not disk.is_offline and not in_pool,
        },
        {
            "BusType": disk.bus,
            "MediaType": "Unspecified",
            "OperationalStatus": "OK",
            "HealthStatus": "Healthy",
        },
        namespace=_STORAGE,
        key=disk.unique_id,
    )


def _partition(item: Partition) -> PsObject:
    paths = [f"{item.letter}:\\"] if item.letter else []
    return instance(
        "MSFT_Partition",
        {
            "DiskNumber": UInt32(item.disk),
            "PartitionNumber": UInt32(item.number),
            "DriveLetter": item.letter or None,
            "Size": UInt64(item.size),
            "IsReadOnly": item.is_read_only,
            "IsOffline": False,
            "AccessPaths": paths,
        },
        {"Type": item.type, "OperationalStatus": "Online"},
        namespace=_STORAGE,
        key=f"{item.disk}/{item.number}",
    )


def _volume(item: Partition) -> PsObject:
    shown: dict[str, Any] = {
        "DriveLetter": item.letter or None,
        "FileSystem": item.file_system,
        "FileSystemLabel": item.label,
        "AllocationUnitSize": UInt32(item.unit),
        "Size": UInt64(item.size if item.file_system else 0),
        "SizeRemaining": UInt64(item.size if item.file_system else 0),
        "UniqueId": rf"\\?\Volume{{{item.disk:08x}-{item.number:04x}-0000-0000-000000000000}}" + "\\",
    }
    return instance(
        "MSFT_Volume",
        shown,
        {
            "DriveType": "Fixed",
            "FileSystemType": item.file_system or "Unknown",
            "HealthStatus": "Healthy",
            "OperationalStatus": "OK" if item.file_system else "Unknown",
        },
        namespace=_STORAGE,
        key=str(shown["UniqueId"]),
    )
