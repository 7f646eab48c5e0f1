"""Commands of failover clusters, one line each; they come with the module for PowerShell."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter

_HERE = "provisioner.lab.commands.cluster.clusters"
_TYPES = "Microsoft.FailoverClusters.PowerShell"
_FEATURE = "RSAT-Clustering-PowerShell"

COMMANDS = tuple(
    CommandSpec(
        name,
        f"{_HERE}:{function}",
        "FailoverClusters",
        (Parameter("Name", "array", 0), *parameters),
        feature=_FEATURE,
        type_name=f"{_TYPES}.{name.replace('-', '')}Command",
    )
    for name, function, parameters in (
        ("Get-Cluster", "get_cluster", (Parameter("Domain", "string"),)),
        ("Get-ClusterNode", "get_node", (Parameter("Cluster", "string"),)),
        ("Get-ClusterQuorum", "get_quorum", (Parameter("Cluster", "string"),)),
        ("Get-ClusterGroup", "get_group", (Parameter("Cluster", "string"),)),
        ("Get-ClusterResource", "get_resource", (Parameter("Cluster", "string"),)),
        ("Get-ClusterSharedVolume", "get_shared_volume", (Parameter("Cluster", "string"),)),
    )
)
