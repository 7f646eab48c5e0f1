"""Commands that look at failover clusters: cluster, nodes, quorum, groups, resources, shared volumes."""

from __future__ import annotations

from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.machine.cluster.cluster import CSV_ROOT, Cluster, Clusters
from provisioner.lab.values import EnumValue, PsObject

_TYPES: Final = "Microsoft.FailoverClusters.PowerShell."
_NODE_STATES: Final = {"Unknown": -1, "Up": 0, "Down": 1, "Paused": 2, "Joining": 3}
_RESOURCE_STATES: Final = {"Unknown": -1, "Initializing": 1, "Online": 2, "Offline": 3, "Failed": 4}


async def get_cluster(invocation: Invocation) -> None:
    """Write the cluster of each name, or the one of this node."""
    for name in texts(invocation.parameters.get("Name")) or [""]:
        found = _cluster(invocation, "Get-Cluster", name)
        if found is not None:
            invocation.output.write(
                _object("Cluster", found.name, {"Id": found.id, "Domain": found.domain, **found.values()})
            )


async def get_node(invocation: Invocation) -> None:
    """Write the nodes with their states."""
    cluster = _cluster(invocation, "Get-ClusterNode", invocation.parameters.get("Cluster"))
    if cluster is None:
        return
    wanted = {name.casefold() for name in texts(invocation.parameters.get("Name"))}
    states = invocation.node.machine.world.area(Clusters).states(cluster)
    for number, (name, state) in enumerate(states, 1):
        if not wanted or name.casefold() in wanted:
            shown = {
                "NodeName": name,
                "Id": str(number),
                "State": EnumValue(_TYPES + "ClusterNodeState", state, _NODE_STATES.get(state, -1)),
                "NodeWeight": 1,
                "Cluster": cluster.name,
            }
            invocation.output.write(_object("ClusterNode", name, shown))


async def get_quorum(invocation: Invocation) -> None:
    """Write how votes are counted."""
    cluster = _cluster(invocation, "Get-ClusterQuorum", invocation.parameters.get("Cluster"))
    if cluster is not None:
        quorum = cluster.quorum
        shown = {
            "Cluster": cluster.name,
            "QuorumResource": quorum.resource_name,
            "QuorumType": EnumValue(_TYPES + "ClusterQuorumType", quorum.type, 1),
        }
        invocation.output.write(_object("ClusterQuorumSettings", cluster.name, shown))


async def get_group(invocation: Invocation) -> None:
    """Write the groups that every cluster has."""
    cluster = _cluster(invocation, "Get-ClusterGroup", invocation.parameters.get("Cluster"))
    for name in ("Available Storage", "Cluster Group") if cluster else ():
        owner = cluster.nodes[0][0] if cluster and cluster.nodes else ""
        state = EnumValue(_TYPES + "ClusterGroupState", "Online", 0)
        invocation.output.write(_object("ClusterGroup", name, {"OwnerNode": owner, "State": state}))


async def get_resource(invocation: Invocation) -> None:
    """Write the resources: name, address, witness and disks."""
    cluster = _cluster(invocation, "Get-ClusterResource", invocation.parameters.get("Cluster"))
    if cluster is None:
        return
    rows = [("Cluster Name", "Network Name", "Cluster Group")]
    if cluster.address:
        rows.append(("Cluster IP Address", "IP Address", "Cluster Group"))
    if cluster.quorum.resource_type and cluster.quorum.resource_type != "Physical Disk":
        name = cluster.quorum.resource_name or ""
        rows.append((name, cluster.quorum.resource_type, "Cluster Group"))
    rows += [(disk.name, "Physical Disk", "Available Storage") for disk in cluster.disks if not disk.volume]
    wanted = {name.casefold() for name in texts(invocation.parameters.get("Name"))}
    for name, kind, group in rows:
        if not wanted or name.casefold() in wanted:
            shown = {"ResourceType": kind, "OwnerGroup": group, "State": _state("Online")}
            invocation.output.write(_object("ClusterResource", name, shown))


async def get_shared_volume(invocation: Invocation) -> None:
    """Write the disks that are Cluster Shared Volumes."""
    cluster = _cluster(invocation, "Get-ClusterSharedVolume", invocation.parameters.get("Cluster"))
    for disk in cluster.disks if cluster else ():
        if disk.volume:
            shown = {
                "Id": disk.id,
                "State": _state(disk.state),
                "SharedVolumeInfo": [{"FriendlyVolumeName": f"{CSV_ROOT}{disk.volume}"}],
            }
            invocation.output.write(_object("ClusterSharedVolume", disk.name, shown))


def _cluster(invocation: Invocation, cmdlet: str, name: Any) -> Cluster | None:
    machine = invocation.node.machine
    kind = _TYPES + cmdlet.replace("-", "") + "Command"
    with reporting(invocation, cmdlet, kind, name):
        machine.ledger.attempt(cmdlet)
        return machine.world.area(Clusters).find(machine, str(name) if name else None)
    return None


def _state(name: str) -> EnumValue:
    return EnumValue(_TYPES + "ClusterResourceState", name, _RESOURCE_STATES.get(name, -1))


def _object(kind: str, name: str, properties: dict[str, Any]) -> PsObject:
    return PsObject((_TYPES + kind, "System.Object"), {"Name": name, **properties}, text=name)
