"""ServiceTrigger of ProvisionerDsc (class PROV_ServiceTrigger): which events start or stop a service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.basics import service_control
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.basics.service_control import call_sc, existing
from provisioner.lab.resources.binding import Rule, bind, resource_error

_RULES: Final = (
    Rule("ServiceName", may_be_empty=False, is_mandatory=True),
    Rule("Triggers", "strings", is_mandatory=True),
)
_TRIGGER: Final = re.compile(
    rf"(start|stop)/({'|'.join(service_control.SIMPLE_TRIGGERS)}"
    r"|strcustom/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[a-z0-9_.-]+)",
    re.IGNORECASE,
)


class ServiceTrigger:
    """Stateless."""

    class_name = "PROV_ServiceTrigger"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        name = bind("Get-TargetResource", _RULES, properties)["ServiceName"]
        return {"ServiceName": name, "Triggers": service_control.triggers(context.machine, name)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: exactly these, in any order; a service that is not there yet is a difference."""
        bound = _bound("Test-TargetResource", properties)
        if context.machine.services.find(bound["ServiceName"]) is None:
            return False
        found = service_control.triggers(context.machine, bound["ServiceName"])
        return sorted(item.casefold() for item in found) == sorted(
            item.casefold() for item in bound["Triggers"]
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: one call replaces them all."""
        bound = _bound("Set-TargetResource", properties)
        service = existing(bound["ServiceName"], context)
        if not bound["Triggers"] and not service_control.triggers(context.machine, service.name):
            return
        await context.sleep(context.machine.durations.other_s)
        call_sc(context, "sc.exe triggerinfo", service.name)
        service_control.set_triggers(context.machine, service.name, bound["Triggers"])


def _bound(function: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Bind, and refuse what is no trigger or comes twice."""
    bound = bind(function, _RULES, properties)
    seen = set()
    for trigger in bound["Triggers"]:
        if not _TRIGGER.fullmatch(trigger):
            raise resource_error(
                f"'{trigger}' is no trigger: write start/ or stop/ and networkon, networkoff, domainjoin, "
                "domainleave or strcustom/GUID/DATA.",
                "TriggerMalformed",
                "InvalidArgument",
            )
        if trigger.casefold() in seen:
            raise resource_error(
                f"The trigger '{trigger}' is given twice.", "TriggerTwice", "InvalidArgument"
            )
        seen.add(trigger.casefold())
    return bound
