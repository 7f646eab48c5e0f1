"""ClusterPhysicalDisk of ProvisionerDsc (class PROV_ClusterPhysicalDisk), as its page describes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from provisioner.lab.machine.cluster.cluster import Cluster
from provisioner.lab.machine.storage.disks import Disk, Disks
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error
from provisioner.lab.resources.cluster.membership import CMDLETS, clusters_of, own_cluster

_RULES: Final = (
    Rule("Name", is_mandatory=True, may_be_empty=False),
    Rule("DiskId", is_mandatory=True, may_be_empty=False),
    Rule("DiskIdType", allowed=("Number", "UniqueId", "SerialNumber")),
    Rule("FileSystem", allowed=("NTFS", "ReFS")),
)
_SHARED: Final = ("iSCSI", "Fibre Channel", "SAS")
_LABEL_LENGTH: Final = 32
_READERS: Final[Mapping[str, Callable[[Disk], str]]] = {
    "number": lambda disk: str(disk.number),
    "uniqueid": lambda disk: disk.unique_id,
    "serialnumber": lambda disk: disk.serial,
}


class ClusterPhysicalDisk:
    """Stateless. A disk is looked for only while the cluster has none of the name."""

    class_name = "PROV_ClusterPhysicalDisk"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        is_there = _has(own_cluster(bound["Name"], context), bound["Name"], context)
        return {
            "Name": bound["Name"],
            "DiskId": bound["DiskId"] if is_there else None,
            "DiskIdType": None,
            "FileSystem": None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return _has(own_cluster(bound["Name"], context), bound["Name"], context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        name, clusters = bound["Name"], clusters_of(context)
        cluster = own_cluster(name, context)
        if _has(cluster, name, context):
            return
        disk = _find(name, bound["DiskId"], bound.get("DiskIdType", "UniqueId"), context)
        _demand_usable(name, disk, is_clustered=clusters.has_disk(disk.unique_id))
        await context.sleep(context.machine.durations.disk_s)
        _prepare(name, disk, bound.get("FileSystem", "NTFS"), context)
        disk = context.machine.area(Disks).disk(disk.number)
        with calling(CMDLETS + "AddClusterDiskCommand"):
            made = clusters.add_disk(
                context.machine, cluster, disk.guid if disk.style == "GPT" else "", disk.unique_id
            )
        clusters.rename_disk(cluster, made, name)


def _prepare(name: str, disk: Disk, file_system: str, context: ResourceContext) -> None:
    disks = context.machine.area(Disks)
    if disk.is_offline:
        with calling("Set-Disk"):
            disks.change_disk(disk.number, offline=False)
    if disk.is_read_only:
        with calling("Set-Disk"):
            disks.change_disk(disk.number, read_only=False)
    if disk.style == "RAW":
        with calling("Initialize-Disk"):
            disks.initialize(disk.number, "GPT")
    with calling("Get-Partition"):
        context.machine.ledger.attempt("Get-Partition")
    used = [item for item in disks.partitions(disk.number) if item.type != "Reserved"]
    if not used:
        with calling("New-Partition"):
            made = disks.new_partition(disk.number)
        with calling("Format-Volume"):
            disks.format(made, file_system, name[:_LABEL_LENGTH])
    for item in used:
        if not item.file_system:
            raise resource_error(
                f"Partition {item.number} of disk {disk.number} has no file system Windows can read. It is not "
                "touched, since it may hold something: format it or remove it yourself.",
                "PartitionNotFormatted",
                "InvalidData",
            )


def _find(name: str, wanted: str, kind: str, context: ResourceContext) -> Disk:
    with calling("Get-Disk"):
        disks = context.machine.area(Disks).all()
    read = _READERS[kind.casefold()]
    found = [disk for disk in disks if is_same(read(disk).strip(), wanted)]
    if not found:
        raise resource_error(
            f"This node has no disk whose {kind} is '{wanted}', which was to become '{name}' of the cluster.",
            "DiskNotFound",
            "ObjectNotFound",
        )
    if len(found) > 1:
        raise resource_error(
            f"{len(found)} disks have the {kind} '{wanted}'. Is MPIO missing?", "DiskAmbiguous", "InvalidData"
        )
    unique_id = found[0].unique_id.strip()
    paths = [disk for disk in disks if is_same(disk.unique_id.strip(), unique_id)]
    if unique_id and len(paths) > 1:
        raise resource_error(
            f"{len(paths)} disks have the UniqueId '{unique_id}'. Is MPIO missing?",
            "DiskAmbiguous",
            "InvalidData",
        )
    return found[0]


def _demand_usable(name: str, disk: Disk, *, is_clustered: bool) -> None:
    # Windows starts from the first disk of a simulated machine.
    if disk.number == 0 or disk.bus not in _SHARED:
        raise resource_error(
            f"Disk {disk.number} (bus type {disk.bus}) cannot be '{name}' of the cluster: only disks that several "
            f"nodes reach can, over {', '.join(_SHARED)}, and never one Windows starts from.",
            "DiskNotShared",
            "InvalidArgument",
        )
    if is_clustered:
        raise resource_error(
            f"Disk {disk.number} is in a cluster already, under another name than '{name}'.",
            "DiskInCluster",
            "ResourceExists",
        )


def _has(cluster: Cluster, name: str, context: ResourceContext) -> bool:
    for cmdlet in ("Get-ClusterResource", "Get-ClusterSharedVolume"):
        with calling(f"{CMDLETS}{cmdlet.replace('-', '')}Command"):
            context.machine.ledger.attempt(cmdlet)
    return any(is_same(disk.name, name) for disk in cluster.disks)
