"""ClusterEviction of ProvisionerDsc (class PROV_ClusterEviction), as its page describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.cluster.cluster import SERVICE, Cluster
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error
from provisioner.lab.resources.cluster.membership import CMDLETS, clusters_of

_RULES: Final = (Rule("ClusterName", is_mandatory=True, may_be_empty=False),)


class ClusterEviction:
    """Stateless. Never destroys a cluster."""

    class_name = "PROV_ClusterEviction"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {
            "ClusterName": bound["ClusterName"],
            "IsMember": _membership(bound["ClusterName"], context) is not None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return _membership(bound["ClusterName"], context) is None

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        cluster = _membership(bound["ClusterName"], context)
        if cluster is None:
            return
        clusters, own = clusters_of(context), context.machine.computer_name
        with calling(CMDLETS + "GetClusterNodeCommand"):
            context.machine.ledger.attempt("Get-ClusterNode")
        if not any(state == "Up" and not is_same(name, own) for name, state in clusters.states(cluster)):
            raise resource_error(
                f"No other node of '{bound['ClusterName']}' is up, so nothing can take over what runs here. A "
                "cluster is destroyed by hand: Remove-Cluster -CleanupAD.",
                "LastNode",
                "InvalidOperation",
            )
        await context.sleep(context.machine.durations.other_s)
        with calling(CMDLETS + "SuspendClusterNodeCommand"):
            clusters.pause(context.machine, cluster, own)
        with calling(CMDLETS + "RemoveClusterNodeCommand"):
            clusters.remove(context.machine, cluster, own)


def _membership(name: str, context: ResourceContext) -> Cluster | None:
    """Give the cluster of this name, if the machine is a member of it."""
    service = context.machine.services.find(SERVICE)
    if service is None or service.start_mode == "Disabled":
        return None
    if service.status != "Running":
        raise resource_error(
            "The service ClusSvc does not run, so nobody can say whether this node is a member of "
            f"'{name}', or move what it holds. Start it.",
            "ClusterServiceStopped",
            "ResourceUnavailable",
        )
    with calling(CMDLETS + "GetClusterCommand"):
        cluster = clusters_of(context).find(context.machine)
    return cluster if cluster is not None and is_same(cluster.name, name) else None
