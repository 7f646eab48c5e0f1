"""SanPolicy of ProvisionerDsc (class PROV_SanPolicy): what happens to new disks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.storage.settings import StorageSettings
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_RULES: Final = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule(
        "NewDiskPolicy",
        allowed=("OnlineAll", "OfflineAll", "OfflineInternal", "OfflineShared"),
        is_mandatory=True,
    ),
)


class SanPolicy:
    """Stateless; a machine has one policy."""

    class_name = "PROV_SanPolicy"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bind("Get-TargetResource", _RULES, properties)
        return {"IsSingleInstance": "Yes", "NewDiskPolicy": _current(context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return is_same(_current(context), bound["NewDiskPolicy"])

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: set, and read back."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        with calling("Set-StorageSetting"):
            context.machine.area(StorageSettings).set_policy(bound["NewDiskPolicy"])
        current = _current(context)
        if not is_same(current, bound["NewDiskPolicy"]):
            raise resource_error(
                f"The policy for new disks was set to {bound['NewDiskPolicy']}, but is {current}.",
                "PolicyNotApplied",
                "InvalidResult",
            )


def _current(context: ResourceContext) -> str:
    with calling("Get-StorageSetting"):
        return context.machine.area(StorageSettings).policy()
