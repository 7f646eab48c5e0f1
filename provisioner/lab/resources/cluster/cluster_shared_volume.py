"""ClusterSharedVolume of ProvisionerDsc (class PROV_ClusterSharedVolume), as its page describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.cluster.cluster import CSV_ROOT, Cluster, ClusterDisk
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error
from provisioner.lab.resources.cluster.membership import CMDLETS, clusters_of, own_cluster

_RULES: Final = (
    Rule("Name", is_mandatory=True, may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("TimeoutSeconds", "uint32"),
)
_TIMEOUT_S: Final = 300
_POLL_S: Final = 5


class ClusterSharedVolume:
    """Stateless. A volume counts when it is online and its folder is there on this node."""

    class_name = "PROV_ClusterSharedVolume"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:1], properties)
        volume = _volume(own_cluster(bound["Name"], context), bound["Name"], context)
        return {
            "Name": bound["Name"],
            "Ensure": "Present" if volume else "Absent",
            "TimeoutSeconds": None,
            "Path": f"{CSV_ROOT}{volume.volume}" if volume else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        volume = _volume(own_cluster(bound["Name"], context), bound["Name"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return volume is None
        return volume is not None and _is_mounted(volume, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        name = bound["Name"]
        cluster = own_cluster(name, context)
        volume = _volume(cluster, name, context)
        clusters = clusters_of(context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if volume is not None:
                with calling(CMDLETS + "RemoveClusterSharedVolumeCommand"):
                    clusters.unshare(context.machine, cluster, volume)
            return
        if volume is None:
            _demand_disk(cluster, name, context)
            await context.sleep(context.machine.durations.disk_s)
            with calling(CMDLETS + "AddClusterSharedVolumeCommand"):
                clusters.share(context.machine, cluster, name)
        await _wait(cluster, name, bound.get("TimeoutSeconds", _TIMEOUT_S), context)


async def _wait(cluster: Cluster, name: str, timeout_s: int, context: ResourceContext) -> None:
    waited = 0
    while True:
        volume = _volume(cluster, name, context)
        if volume is not None and _is_mounted(volume, context):
            return
        if waited >= timeout_s:
            break
        await context.sleep(_POLL_S)
        waited += _POLL_S
    state = volume.state if volume else "gone"
    raise resource_error(
        f"The Cluster Shared Volume '{name}' was not mounted on this node after {timeout_s} seconds; its state is "
        f"{state}.",
        "VolumeNotMounted",
        "OperationTimeout",
    )


def _volume(cluster: Cluster, name: str, context: ResourceContext) -> ClusterDisk | None:
    with calling(CMDLETS + "GetClusterSharedVolumeCommand"):
        context.machine.ledger.attempt("Get-ClusterSharedVolume")
    return next((disk for disk in cluster.disks if disk.volume and is_same(disk.name, name)), None)


def _is_mounted(volume: ClusterDisk, context: ResourceContext) -> bool:
    return volume.state == "Online" and context.machine.files.is_folder(f"{CSV_ROOT}{volume.volume}")


def _demand_disk(cluster: Cluster, name: str, context: ResourceContext) -> None:
    with calling(CMDLETS + "GetClusterResourceCommand"):
        context.machine.ledger.attempt("Get-ClusterResource")
    names = [disk.name for disk in cluster.disks if not disk.volume]
    if not any(is_same(one, name) for one in names):
        raise resource_error(
            f"The cluster has no disk named '{name}'. Its disks are: {', '.join(names)}.",
            "DiskNotInCluster",
            "ObjectNotFound",
        )
