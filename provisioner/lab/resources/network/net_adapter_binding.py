"""NetAdapterBinding of NetworkingDsc 9 (class DSC_NetAdapterBinding)."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.machine.network.adapter_settings import AdapterSettings
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_argument, is_same
from provisioner.lab.resources.network.checks import no_interface, not_found

_RULES = (
    Rule("InterfaceAlias", may_be_empty=False, is_mandatory=True),
    Rule("ComponentId", may_be_empty=False, is_mandatory=True),
    Rule("State", allowed=("Enabled", "Disabled")),
)


class NetAdapterBinding:
    """Stateless; the alias may be a pattern, and adapters that disagree are never in desired state."""

    class_name = "DSC_NetAdapterBinding"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {
            "InterfaceAlias": bound["InterfaceAlias"],
            "ComponentId": bound["ComponentId"],
            "State": bound.get("State", "Enabled"),
            "CurrentState": _state(bound, context),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return is_same(_state(bound, context), bound.get("State", "Enabled"))

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: all adapters that fit."""
        bound = bind("Set-TargetResource", _RULES, properties)
        enabled = is_same(bound.get("State", "Enabled"), "Enabled")
        _state(bound, context)
        await context.sleep(context.machine.durations.other_s)
        settings = context.machine.area(AdapterSettings)
        with calling("Enable-NetAdapterBinding" if enabled else "Disable-NetAdapterBinding"):
            for adapter in _adapters(bound["InterfaceAlias"], context):
                settings.bind(adapter, bound["ComponentId"], enabled=enabled)


def _adapters(alias: str, context: ResourceContext) -> list[Adapter]:
    pattern = alias.casefold()
    found = [
        item
        for item in context.machine.network.adapters
        if fnmatch.fnmatchcase(item.name.casefold(), pattern)
    ]
    if not found:
        raise invalid_argument(no_interface(alias), "InterfaceAlias")
    return found


def _state(bound: Mapping[str, Any], context: ResourceContext) -> str:
    settings = context.machine.area(AdapterSettings)
    states = {
        is_on
        for adapter in _adapters(bound["InterfaceAlias"], context)
        for name, _, is_on in settings.bindings(adapter)
        if is_same(name, bound["ComponentId"])
    }
    if not states:
        raise not_found("MSFT_NetAdapterBindingSettingData", "Get-NetAdapterBinding")
    if len(states) > 1:
        return "Mixed"
    return "Enabled" if True in states else "Disabled"
