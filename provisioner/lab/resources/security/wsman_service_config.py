"""WSManServiceConfig of WSManDsc 3.2 (class DSC_WSManServiceConfig): text against text, one Set-Item for each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from provisioner.lab.machine.security.wsman_listeners import Listeners
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.calls import written

_BOOLEANS: Final = (
    "AllowUnencrypted",
    "AuthBasic",
    "AuthKerberos",
    "AuthNegotiate",
    "AuthCertificate",
    "AuthCredSSP",
    "EnableCompatibilityHttpListener",
    "EnableCompatibilityHttpsListener",
)
_RULES = (
    Rule("IsSingleInstance", is_mandatory=True, allowed=("Yes",)),
    Rule("RootSDDL"),
    Rule("MaxConnections", "uint32"),
    Rule("MaxConcurrentOperationsPerUser", "uint32"),
    Rule("EnumerationTimeoutMS", "uint32"),
    Rule("MaxPacketRetrievalTimeSeconds", "uint32"),
    *(Rule(name, "boolean") for name in _BOOLEANS),
    Rule("AuthCbtHardeningLevel", allowed=("Strict", "Relaxed", "None")),
)


class WSManServiceConfig:
    """Stateless."""

    class_name = "DSC_WSManServiceConfig"
    module = "WSManDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: everything is text."""
        bind("Get-TargetResource", _RULES[:1], properties)
        settings = context.machine.area(Listeners).service()
        return {"IsSingleInstance": "Yes", **{rule.name: settings[rule.name] for rule in _RULES[1:]}}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        settings = context.machine.area(Listeners).service()
        return all(
            is_same(settings[name], value) for name, value in bound.items() if name != "IsSingleInstance"
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource; a setting that a policy governs is an error, the rest is set."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        listeners = context.machine.area(Listeners)
        settings = listeners.service()
        for name, value in bound.items():
            if name != "IsSingleInstance" and not is_same(settings[name], value):
                text = str(value).lower() if isinstance(value, bool) else str(value)
                change = partial(listeners.set_service, name, text)
                written(context, "Microsoft.PowerShell.Commands.SetItemCommand", change)
