"""ServiceRecovery of ProvisionerDsc (class PROV_ServiceRecovery): what Windows does when a service fails."""

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
    Rule("Actions", "strings", may_be_empty=False, is_mandatory=True),
    Rule("ResetPeriod", "uint32"),
    Rule("Command"),
    Rule("OnNonCrashFailures", "boolean"),
)
_ACTION: Final = re.compile(r"(none|restart|reboot|run)/(0|[1-9][0-9]{0,8})", re.IGNORECASE)
_DAY: Final = 86400
_FLAG: Final = "FailureActionsOnNonCrashFailures"


class ServiceRecovery:
    """Stateless."""

    class_name = "PROV_ServiceRecovery"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES[:2], properties)
        return {"ServiceName": bound["ServiceName"], **_read(bound["ServiceName"], context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: a service that is not there yet is a difference."""
        bound = _bound("Test-TargetResource", properties)
        if context.machine.services.find(bound["ServiceName"]) is None:
            return False
        found = _read(bound["ServiceName"], context)
        return (
            found["Actions"] == [item.casefold() for item in bound["Actions"]]
            and found["ResetPeriod"] == bound["ResetPeriod"]
            and found["OnNonCrashFailures"] == bound["OnNonCrashFailures"]
            and ("Command" not in bound or found["Command"] == bound["Command"])
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = _bound("Set-TargetResource", properties)
        service = existing(bound["ServiceName"], context)
        machine = context.machine
        await context.sleep(machine.durations.other_s)
        call_sc(context, "sc.exe failure", service.name)
        actions = [_ACTION.fullmatch(item) for item in bound["Actions"]]
        service_control.set_failure_actions(
            machine,
            service.name,
            bound["ResetPeriod"],
            [(found[1].casefold(), int(found[2])) for found in actions if found],
            bound.get("Command"),
        )
        call_sc(context, "sc.exe failureflag", service.name)
        machine.registry.set(service_control.key_of(service.name), _FLAG, int(bound["OnNonCrashFailures"]))


def _read(name: str, context: ResourceContext) -> dict[str, Any]:
    reset_s, actions = service_control.failure_actions(context.machine, name)
    registry, key = context.machine.registry, service_control.key_of(name)
    return {
        "Actions": [f"{kind}/{delay}" for kind, delay in actions],
        "ResetPeriod": reset_s,
        "Command": registry.get(key, "FailureCommand") or "",
        "OnNonCrashFailures": registry.get(key, _FLAG) == 1,
    }


def _bound(function: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Bind with defaults, and refuse what is no action."""
    bound = {"ResetPeriod": _DAY, "OnNonCrashFailures": True, **bind(function, _RULES, properties)}
    for action in bound["Actions"]:
        if not _ACTION.fullmatch(action):
            raise resource_error(
                f"'{action}' is no action: write none, restart, reboot or run, a slash and milliseconds.",
                "ActionMalformed",
                "InvalidArgument",
            )
        if action.casefold().startswith("run/") and not bound.get("Command"):
            raise resource_error("The action run needs a Command.", "CommandMissing", "InvalidArgument")
    if '"' in bound.get("Command", ""):
        raise resource_error(
            "A Command with double quotes cannot be handed to sc.exe unchanged. Use a path without spaces.",
            "CommandHasQuotes",
            "InvalidArgument",
        )
    return bound
