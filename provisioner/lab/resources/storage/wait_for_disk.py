"""WaitForDisk of StorageDsc 6.0 (class DSC_WaitForDisk): nothing is rescanned, it only asks again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, invalid_operation
from provisioner.lab.resources.storage.lookup import ID_TYPES, find_disk

_RULES = (
    Rule("DiskId", is_mandatory=True),
    Rule("DiskIdType", allowed=ID_TYPES),
    Rule("RetryIntervalSec", "uint32"),
    Rule("RetryCount", "uint32"),
)
_INTERVAL_S, _COUNT = 10, 60


class WaitForDisk:
    """Stateless."""

    class_name = "DSC_WaitForDisk"
    module = "StorageDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {
            "DiskId": bound["DiskId"],
            "DiskIdType": bound.get("DiskIdType", "Number"),
            "RetryIntervalSec": bound.get("RetryIntervalSec", _INTERVAL_S),
            "RetryCount": bound.get("RetryCount", _COUNT),
            "IsAvailable": find_disk(bound, context) is not None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return find_disk(bound, context) is not None

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: it sleeps after the last try too, and with a count of 0 never looks."""
        bound = bind("Set-TargetResource", _RULES, properties)
        count, interval = bound.get("RetryCount", _COUNT), bound.get("RetryIntervalSec", _INTERVAL_S)
        for _ in range(count):
            if find_disk(bound, context) is not None:
                return
            await context.sleep(interval)
        kind = bound.get("DiskIdType", "Number")
        raise invalid_operation(
            f"Disk with {kind} '{bound['DiskId']}' not found after {count} attempts with total time of "
            f"{count * interval} seconds."
        )
