"""NetAdapterAdvancedProperty of NetworkingDsc 9 (class DSC_NetAdapterAdvancedProperty)."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.machine.network.adapter_settings import AdapterSettings, AdvancedProperty
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_operation, is_same

_RULES = (
    Rule("NetworkAdapterName", is_mandatory=True),
    Rule("RegistryKeyword", is_mandatory=True),
    Rule("RegistryValue", is_mandatory=True),
)


class NetAdapterAdvancedProperty:
    """Stateless; the wanted text is compared with all values of the keyword joined."""

    class_name = "DSC_NetAdapterAdvancedProperty"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        found = _found(bound, context)
        return {
            "NetworkAdapterName": bound["NetworkAdapterName"],
            "RegistryKeyword": bound["RegistryKeyword"],
            "RegistryValue": " ".join(text for _, item in found for text in item.value),
            "DisplayValue": " ".join(item.display_value for _, item in found),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        shown = " ".join(text for _, item in _found(bound, context) for text in item.value)
        return is_same(bound["RegistryValue"], shown)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the adapter restarts."""
        bound = bind("Set-TargetResource", _RULES, properties)
        found = _found(bound, context)
        await context.sleep(context.machine.durations.other_s)
        settings = context.machine.area(AdapterSettings)
        with calling("Set-NetAdapterAdvancedProperty"):
            for adapter, item in found:
                if not is_same(bound["RegistryValue"], " ".join(item.value)):
                    settings.set_property(adapter, item.keyword, bound["RegistryValue"])


def _found(bound: Mapping[str, Any], context: ResourceContext) -> list[tuple[Adapter, AdvancedProperty]]:
    settings = context.machine.area(AdapterSettings)
    pattern = bound["NetworkAdapterName"].casefold()
    found = [
        (adapter, item)
        for adapter in context.machine.network.adapters
        if fnmatch.fnmatchcase(adapter.name.casefold(), pattern)
        for item in settings.properties(adapter)
        if is_same(item.keyword, bound["RegistryKeyword"])
    ]
    if not found:
        raise invalid_operation(
            f"The network adapter '{bound['NetworkAdapterName']}' or its advanced property "
            f"'{bound['RegistryKeyword']}' was not found."
        )
    return found
