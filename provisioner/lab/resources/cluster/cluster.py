"""Cluster of FailoverClusterDsc 2.2 (class DSC_Cluster): forms a cluster, or lets this machine join it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_operation, is_same
from provisioner.lab.resources.calls import silenced, written
from provisioner.lab.resources.cluster.membership import (
    CMDLETS,
    clusters_of,
    demand_domain,
    find_cluster,
    impersonate,
)

_RULES = (
    Rule("Name", is_mandatory=True, may_be_empty=False),
    Rule("StaticIPAddress"),
    Rule("IgnoreNetwork", "strings"),
    Rule("DomainAdministratorCredential", "any"),
    Rule("KeepDownedNodesInCluster", "boolean"),
)


class ClusterResource:
    """Stateless. Address and ignored networks count only when the cluster is formed."""

    class_name = "DSC_Cluster"
    module = "FailoverClusterDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        demand_domain(context)
        impersonate(bound, context)
        cluster = find_cluster(bound["Name"], context, in_try=False)
        return {
            "Name": bound["Name"],
            "StaticIPAddress": cluster.address if cluster else None,
            "IgnoreNetwork": bound.get("IgnoreNetwork"),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: whether this machine is a node that is up or paused; errors count as no."""
        bound = bind("Test-TargetResource", _RULES, properties)
        demand_domain(context)
        try:
            impersonate(bound, context)
        except ResourceError:
            return False
        cluster = find_cluster(bound["Name"], context, in_try=True)
        if cluster is None:
            return False
        nodes = clusters_of(context).states(cluster)
        own = (state for name, state in nodes if is_same(name, context.machine.computer_name))
        return next(own, "") in {"Up", "Paused"}

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the cluster is looked for before anybody is impersonated."""
        bound = bind("Set-TargetResource", _RULES, properties)
        demand_domain(context)
        machine, clusters = context.machine, clusters_of(context)
        cluster = find_cluster(bound["Name"], context, in_try=False)
        impersonate(bound, context)
        await context.sleep(machine.durations.other_s)
        if cluster is None:
            with calling(CMDLETS + "NewClusterCommand"):
                clusters.create(machine, bound["Name"], bound.get("StaticIPAddress") or None)
            if silenced(partial(clusters.find, machine)) is None:
                raise invalid_operation(
                    "Cluster creation failed. Please verify output of 'Get-Cluster' command."
                )
            return
        own = [state for name, state in clusters.states(cluster) if is_same(name, machine.computer_name)]
        if "Down" in own and not bound.get("KeepDownedNodesInCluster"):
            evict = partial(clusters.remove, machine, cluster, machine.computer_name)
            written(context, CMDLETS + "RemoveClusterNodeCommand", evict)
        join = partial(clusters.add, machine, cluster, machine.computer_name)
        written(context, CMDLETS + "AddClusterNodeCommand", join)
