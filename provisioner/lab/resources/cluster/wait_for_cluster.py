"""WaitForCluster of FailoverClusterDsc 2.2 (class DSC_WaitForCluster)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, invalid_operation, thrown
from provisioner.lab.resources.cluster.membership import find_cluster, shown_domain

_RULES = (
    Rule("Name", is_mandatory=True),
    Rule("RetryIntervalSec", "uint64"),
    Rule("RetryCount", "uint32"),
)
_INTERVAL_S, _COUNT = 10, 50


class WaitForCluster:
    """Stateless."""

    class_name = "DSC_WaitForCluster"
    module = "FailoverClusterDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: what was given."""
        del context  # the cluster is not asked for
        bound = bind("Get-TargetResource", _RULES, properties)
        return {"RetryIntervalSec": _INTERVAL_S, "RetryCount": _COUNT, **bound}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return bool(_domain(context) and find_cluster(bound["Name"], context, in_try=True) is not None)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: it sleeps after the last try too."""
        bound = bind("Set-TargetResource", _RULES, properties)
        count, interval = bound.get("RetryCount", _COUNT), bound.get("RetryIntervalSec", _INTERVAL_S)
        tries = 0
        while tries < count:
            domain = _domain(context)
            if domain == "":
                break
            if domain and find_cluster(bound["Name"], context, in_try=True) is not None:
                return
            await context.sleep(interval)
            tries += 1
        raise invalid_operation(
            f"Failover cluster {bound['Name']} was not found after {tries} attempts with {interval} seconds in "
            "between."
        )


def _domain(context: ResourceContext) -> str | None:
    """Give the domain or workgroup: an empty text without an answer, None when the question was thrown."""
    try:
        context.machine.ledger.attempt("Get-CimInstance")
    except MachineError as error:
        if error.is_terminating:
            return None
        context.nonterminating.append(thrown(error, "Get-CimInstance"))
        return ""
    return shown_domain(context)
