"""Cluster of FailoverClusterDsc 2.2 (class DSC_Cluster): forms a cluster, or lets this machine join it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_operation, thrown
from provisioner.lab.resources.calls import works, written
from provisioner.lab.resources.cluster.membership import (
    CMDLETS,
    clusters_of,
    demand_domain,
    find_cluster,
    impersonate,
    states_of,
)

_RULES = (
    Rule("Name", is_mandatory=True),
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
        bound = bind("Get-TargetResource", _RULES[:4], properties)
        demand_domain(context)
        impersonate(bound, context)
        cluster = find_cluster(bound["Name"], context, in_try=False)
        questions = ("Get-ClusterResource", "Get-ClusterParameter")
        answers = cluster is not None and all(works(context, cmdlet) for cmdlet in questions)
        return {
            "Name": bound["Name"],
            "StaticIPAddress": cluster.address if cluster and answers else None,
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
        own = states_of(cluster, context, in_try=True) or [""]
        return own[0] in {"Up", "Paused"}

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the cluster is looked for before anybody is impersonated, in a ``try``."""
        bound = bind("Set-TargetResource", _RULES, properties)
        demand_domain(context)
        machine, clusters = context.machine, clusters_of(context)
        cluster = find_cluster(bound["Name"], context, in_try=True)
        impersonate(bound, context)
        await context.sleep(machine.durations.other_s)
        if cluster is None:
            with calling(CMDLETS + "NewClusterCommand"):
                clusters.create(machine, bound["Name"], bound.get("StaticIPAddress") or None)
            try:
                made = clusters.find(machine)
            except MachineError as error:
                context.nonterminating.append(thrown(error, CMDLETS + "GetClusterCommand"))
                if error.is_terminating:
                    return
                made = None
            if made is None:
                raise invalid_operation(
                    "Cluster creation failed. Please verify output of 'Get-Cluster' command."
                )
            return
        own = states_of(cluster, context, in_try=False)
        if own is None:
            return
        if "Down" in own and not bound.get("KeepDownedNodesInCluster"):
            try:
                clusters.remove(machine, cluster, machine.computer_name)
            except MachineError as error:
                context.nonterminating.append(thrown(error, CMDLETS + "RemoveClusterNodeCommand"))
                if error.is_terminating:
                    # The module only cleans up behind the statement that ended.
                    return
        join = partial(clusters.add, machine, cluster, machine.computer_name)
        written(context, CMDLETS + "AddClusterNodeCommand", join)
