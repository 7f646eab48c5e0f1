"""StorageSpacesDirect of ProvisionerDsc (class PROV_StorageSpacesDirect), as its page describes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from provisioner.lab.machine.cim import edition
from provisioner.lab.machine.cluster.cluster import Cluster, ClusterDisk
from provisioner.lab.machine.storage.disks import Disk, Disks
from provisioner.lab.machine.storage.spaces import Pool, StorageSpaces
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, resource_error
from provisioner.lab.resources.cluster.membership import clusters_of, own_cluster

_RULES: Final = (
    Rule("PoolName", is_mandatory=True, may_be_empty=False),
    Rule("Disks", "strings", is_mandatory=True, may_be_empty=False),
    Rule("Volumes", "any"),
    Rule("TimeoutSeconds", "uint32"),
)
_READ: Final = ("Get-ClusterStorageSpacesDirect", "Get-StoragePool", "Get-StorageHealthSetting")
_RETIRE: Final = (
    "A disk leaves a pool by hand, since its data has to move first: Set-PhysicalDisk -Usage Retired, "
    "Repair-VirtualDisk for each volume, and when Get-StorageJob shows nothing more, Remove-PhysicalDisk."
)
_BY_HAND: Final = "It is not cleared: do so yourself when nothing on it is needed."


class StorageSpacesDirect:
    """Stateless. Disks are compared by unique id and serial number."""

    class_name = "PROV_StorageSpacesDirect"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        cluster = own_cluster(bound["PoolName"], context)
        pool = _spaces(context).pool(cluster.name, bound["PoolName"])
        return {
            "PoolName": bound["PoolName"],
            "Disks": list(pool.disks) if pool else [],
            "Volumes": None,
            "TimeoutSeconds": None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        cluster = own_cluster(bound["PoolName"], context)
        for cmdlet in _READ:
            with calling(cmdlet):
                context.machine.ledger.attempt(cmdlet)
        spaces = _spaces(context)
        pool = spaces.pool(cluster.name, bound["PoolName"])
        if cluster.name not in spaces.enabled or pool is None or cluster.name not in spaces.no_auto_pool:
            return False
        every = [disk for disks in _disks(cluster, context).values() for disk in disks]
        _demand_listed(pool, bound["Disks"], every)
        pooled = [disk for disk in every if disk.unique_id in pool.disks]
        return all(_named(pooled, wanted) for wanted in bound["Disks"]) and not _missing(pool, bound, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: everything is looked at before anything is changed."""
        bound = bind("Set-TargetResource", _RULES, properties)
        name = bound["PoolName"]
        cluster = own_cluster(name, context)
        if context.machine.edition != "Datacenter":
            raise resource_error(
                f"Storage Spaces Direct needs a Datacenter edition; this is {edition(context.machine)}.",
                "EditionWithoutDirect",
                "InvalidOperation",
            )
        spaces, per_node = _spaces(context), _disks(cluster, context)
        every = [disk for disks in per_node.values() for disk in disks]
        pool = spaces.pool(cluster.name, name)
        if pool is not None:
            _demand_listed(pool, bound["Disks"], every)
        pooled = [disk for disk in every if pool is not None and disk.unique_id in pool.disks]
        new = [_usable(one, per_node, context) for one in bound["Disks"] if not _named(pooled, one)]
        await context.sleep(context.machine.durations.disk_s)
        if cluster.name not in spaces.enabled:
            _enable(cluster, bound["Disks"], every, context)
        elif new:
            with calling("Set-ClusterStorageSpacesDirectDisk"):
                context.machine.ledger.attempt("Set-ClusterStorageSpacesDirectDisk")
            given = {disk.unique_id for disk in new}
            spaces.withheld = [unique_id for unique_id in spaces.withheld if unique_id not in given]
        if cluster.name not in spaces.no_auto_pool:
            spaces.no_auto_pool.append(cluster.name)
            spaces.changed(f"new disks of {cluster.name} stay out of the pool")
        if new:
            pool = _fill(pool, cluster, name, new, context)
        if pool is not None:
            for volume in _missing(pool, bound, context):
                _make_volume(pool, cluster, volume, context)


def _spaces(context: ResourceContext) -> StorageSpaces:
    return context.machine.world.area(StorageSpaces)


def _disks(cluster: Cluster, context: ResourceContext) -> dict[str, list[Disk]]:
    """Give the physical disks of each node (Get-PhysicalDisk -CimSession)."""
    found = {}
    for machine in clusters_of(context).members(cluster):
        with calling("Get-PhysicalDisk"):
            found[machine.computer_name] = machine.area(Disks).all()
    return found


def _named(disks: Iterable[Disk], wanted: str) -> list[Disk]:
    name = wanted.casefold()
    return [
        disk for disk in disks if name in {disk.unique_id.strip().casefold(), disk.serial.strip().casefold()}
    ]


def _demand_listed(pool: Pool, listed: list[str], every: list[Disk]) -> None:
    known = {disk.unique_id for wanted in listed for disk in _named(every, wanted)}
    others = [unique_id for unique_id in pool.disks if unique_id not in known]
    if others:
        raise resource_error(
            f"The pool '{pool.name}' has disks that are not listed: {', '.join(others)}. {_RETIRE}",
            "DiskNotListed",
            "InvalidData",
        )


def _usable(wanted: str, per_node: Mapping[str, list[Disk]], context: ResourceContext) -> Disk:
    seen = {
        disk.unique_id: (node, disk) for node, disks in per_node.items() for disk in _named(disks, wanted)
    }
    if len(seen) != 1:
        raise resource_error(
            f"{len(seen)} disks of the nodes {', '.join(per_node)} have the unique id or serial number "
            f"'{wanted}'; one is needed.",
            "DiskNotFound",
            "ObjectNotFound",
        )
    [(node, disk)] = seen.values()
    owner = next(each for each in context.machine.world.machines() if each.computer_name == node)
    # Windows starts from the first disk of a simulated machine.
    reason = "In a Pool" if _spaces(context).pool_of(disk.unique_id) else "Offline" if disk.is_offline else ""
    if disk.number == 0 or reason:
        raise resource_error(
            f"The disk '{wanted}' of {node} cannot be pooled ({reason or 'Insufficient Capacity'}). {_BY_HAND}",
            "DiskNotPoolable",
            "InvalidArgument",
        )
    partitions = owner.area(Disks).partitions(disk.number)
    if partitions:
        raise resource_error(
            f"The disk '{wanted}' of {node} has {len(partitions)} partitions. {_BY_HAND}",
            "DiskNotEmpty",
            "InvalidArgument",
        )
    return disk


def _enable(cluster: Cluster, listed: list[str], every: list[Disk], context: ResourceContext) -> None:
    spaces = _spaces(context)
    known = {disk.unique_id for wanted in listed for disk in _named(every, wanted)}
    with calling("Set-ClusterStorageSpacesDirectDisk"):
        context.machine.ledger.attempt("Set-ClusterStorageSpacesDirectDisk")
    spaces.withheld += [disk.unique_id for disk in every if disk.unique_id not in known]
    with calling("Enable-ClusterStorageSpacesDirect"):
        context.machine.ledger.attempt("Enable-ClusterStorageSpacesDirect")
    spaces.enabled.append(cluster.name)
    spaces.changed(f"Storage Spaces Direct enabled in {cluster.name}")


def _fill(pool: Pool | None, cluster: Cluster, name: str, new: list[Disk], context: ResourceContext) -> Pool:
    spaces, cmdlet = _spaces(context), "Add-PhysicalDisk" if pool else "New-StoragePool"
    with calling(cmdlet):
        context.machine.ledger.attempt(cmdlet)
    if pool is None:
        pool = Pool(name, cluster.name)
        spaces.pools.append(pool)
    pool.disks += [disk.unique_id for disk in new]
    spaces.changed(f"{len(new)} disks into pool {name}")
    return pool


def _missing(pool: Pool, bound: Mapping[str, Any], context: ResourceContext) -> list[Mapping[str, Any]]:
    with calling("Get-VirtualDisk"):
        context.machine.ledger.attempt("Get-VirtualDisk")
    there = {name.casefold() for name in pool.volumes}
    return [item for item in bound.get("Volumes") or () if str(item["Name"]).casefold() not in there]


def _make_volume(pool: Pool, cluster: Cluster, volume: Mapping[str, Any], context: ResourceContext) -> None:
    with calling("New-Volume"):
        context.machine.ledger.attempt("New-Volume")
    name = str(volume["Name"])
    pool.volumes[name] = int(volume["Size"])
    disk = ClusterDisk(f"Cluster Virtual Disk ({name})", "", f"space:{pool.name}/{name}")
    clusters_of(context).add_volume(cluster, disk, name)
