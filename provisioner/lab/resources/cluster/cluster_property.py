"""ClusterProperty of FailoverClusterDsc 2.2 (class DSC_ClusterProperty): all bound properties at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.cluster.cluster import Cluster
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same
from provisioner.lab.resources.cluster.membership import CMDLETS, clusters_of

_RULES = (Rule("Name", is_mandatory=True, may_be_empty=False),)


class ClusterProperty:
    """Stateless. A cluster that does not answer is an error already in Test."""

    class_name = "DSC_ClusterProperty"
    module = "FailoverClusterDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        cluster = _cluster(bound["Name"], context)
        return {"Name": bound["Name"], **(cluster.values() if cluster else {})}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        cluster = _cluster(bound["Name"], context)
        values = {name.casefold(): value for name, value in (cluster.values() if cluster else {}).items()}
        return all(
            is_same(value, values.get(name.casefold(), "")) for name, value in _wanted(properties).items()
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        cluster = _cluster(bound["Name"], context)
        if cluster is not None:
            with calling(""):
                clusters_of(context).set_properties(context.machine, cluster, _wanted(properties))


def _wanted(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name.casefold() != "name"}


def _cluster(name: str, context: ResourceContext) -> Cluster | None:
    with calling(CMDLETS + "GetClusterCommand"):
        return clusters_of(context).find(context.machine, name)
