"""FirewallProfile of NetworkingDsc 9 (class DSC_FirewallProfile)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.network.firewall import Firewall
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling

_SWITCH = ("True", "False", "NotConfigured")
_ACTION = ("Block", "Allow", "NotConfigured")
_SWITCHES = (
    "AllowInboundRules",
    "AllowLocalFirewallRules",
    "AllowLocalIPsecRules",
    "AllowUnicastResponseToMulticast",
    "AllowUserApps",
    "AllowUserPorts",
    "Enabled",
    "EnableStealthModeForIPsec",
    "LogAllowed",
    "LogBlocked",
    "LogIgnored",
    "NotifyOnListen",
)
_RULES = (
    Rule("Name", allowed=("Domain", "Public", "Private"), is_mandatory=True),
    *(Rule(name, allowed=_SWITCH) for name in _SWITCHES),
    Rule("DefaultInboundAction", allowed=_ACTION),
    Rule("DefaultOutboundAction", allowed=_ACTION),
    Rule("DisabledInterfaceAliases", "strings"),
    Rule("LogFileName"),
    Rule("LogMaxSizeKilobytes", "uint64"),
)


class FirewallProfile:
    """Stateless; only what differs is written."""

    class_name = "DSC_FirewallProfile"
    module = "NetworkingDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {"Name": bound["Name"], **_profile(bound["Name"], context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        return not _differing(bind("Test-TargetResource", _RULES, properties), context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        changes = _differing(bound, context)
        if changes:
            await context.sleep(context.machine.durations.other_s)
            with calling("Set-NetFirewallProfile"):
                context.machine.area(Firewall).change_profile(bound["Name"], changes)


def _profile(name: str, context: ResourceContext) -> dict[str, Any]:
    with calling("Get-NetFirewallProfile"):
        profiles = context.machine.area(Firewall).profiles()
    return next(values for key, values in profiles.items() if key.casefold() == name.casefold())


def _differing(bound: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
    shown = _profile(bound["Name"], context)
    return {
        name: value
        for name, value in bound.items()
        if name != "Name" and value is not None and _texts(shown[name]) != _texts(value)
    }


def _texts(value: Any) -> list[str]:
    return [str(item).casefold() for item in (value if isinstance(value, list) else [value])]
