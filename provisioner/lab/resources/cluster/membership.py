"""What resources of clusters share: the domain, the impersonation, the world's clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.cluster.cluster import Cluster, Clusters
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import invalid_operation, is_same, thrown
from provisioner.lab.resources.calls import works

CMDLETS = "Microsoft.FailoverClusters.PowerShell."


def clusters_of(context: ResourceContext) -> Clusters:
    """Give the clusters of the lab the machine is in."""
    return context.machine.world.area(Clusters)


def shown_domain(context: ResourceContext) -> str:
    """Give the domain or workgroup (Win32_ComputerSystem.Domain)."""
    identity = context.machine.area(Identity)
    return identity.domain or identity.workgroup


def demand_domain(context: ResourceContext) -> None:
    """Refuse to work without a domain; to Windows the name of a workgroup is one too.

    Raises:
        ResourceError: the machine does not say where it belongs.
    """
    if not works(context, "Get-CimInstance") or not shown_domain(context):
        raise invalid_operation("Can't find the target node's domain name.")


def impersonate(bound: Mapping[str, Any], context: ResourceContext) -> None:
    """Log on with new credentials, which fails for hardly anything: nobody checks the password yet.

    Raises:
        ResourceError: the log-on was refused.
    """
    if bound.get("DomainAdministratorCredential") is None:
        return
    try:
        context.machine.ledger.attempt("LogonUser")
    except MachineError as error:
        raise thrown(error) from None


def states_of(cluster: Cluster, context: ResourceContext, *, in_try: bool) -> list[str] | None:
    """Give the states of this machine's entries among the nodes (Get-ClusterNode); None when that ended the block.

    An error that is only written leaves no nodes.
    """
    try:
        context.machine.ledger.attempt("Get-ClusterNode")
    except MachineError as error:
        if not (in_try and error.is_terminating):
            context.nonterminating.append(thrown(error, CMDLETS + "GetClusterNodeCommand"))
        return None if error.is_terminating else []
    own = context.machine.computer_name
    return [state for name, state in clusters_of(context).states(cluster) if is_same(name, own)]


def find_cluster(name: str, context: ResourceContext, *, in_try: bool) -> Cluster | None:
    """Get-Cluster -Name. What it writes stays written; what it throws is swallowed only inside of ``try``."""
    try:
        return clusters_of(context).find(context.machine, name)
    except MachineError as error:
        if not (in_try and error.is_terminating):
            context.nonterminating.append(thrown(error, CMDLETS + "GetClusterCommand"))
        return None


def own_cluster(name: str, context: ResourceContext) -> Cluster:
    """Give the cluster this machine is a running member of, for a resource of ours about the disk ``name``.

    Raises:
        ResourceError: there is none.
    """
    try:
        found = clusters_of(context).find(context.machine)
    except MachineError as error:
        raise _no_cluster(name, error.message) from None
    if found is None:
        raise _no_cluster(name, "there is none.")
    return found


def _no_cluster(name: str, why: str) -> ResourceError:
    return ResourceError(
        f"This node is no running member of a cluster, so '{name}' cannot be looked for: {why}",
        "ClusterNotFound",
        "ConnectionError",
        "System.InvalidOperationException",
    )
