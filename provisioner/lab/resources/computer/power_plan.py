"""PowerPlan of ComputerManagementDsc 10 (class DSC_PowerPlan)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.ground.power import Plan
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_operation
from provisioner.lab.resources.calls import works, written

_RULES = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("Name", may_be_empty=False, is_mandatory=True),
)


class PowerPlan:
    """Stateless; a plan is named by its friendly name or GUID."""

    class_name = "DSC_PowerPlan"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {
            "IsSingleInstance": bound["IsSingleInstance"],
            "Name": bound["Name"],
            "IsActive": _is_active(_find(bound["Name"], context), context),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; two plans of one name are never in desired state."""
        plans = _find(bind("Test-TargetResource", _RULES, properties)["Name"], context)
        return _is_active(plans, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: errors of the activation are written, not thrown."""
        plans = _find(bind("Set-TargetResource", _RULES, properties)["Name"], context)
        await context.sleep(context.machine.durations.other_s)
        if len(plans) > 1:
            context.nonterminating.append(
                ResourceError(
                    "Cannot process argument transformation on parameter 'PowerPlanGuid'. Cannot convert the "
                    '"System.Object[]" value of type "System.Object[]" to type "System.Guid".',
                    "ParameterArgumentTransformationError,Set-ActivePowerPlan",
                    "InvalidData",
                    "System.Management.Automation.ParameterBindingArgumentTransformationException",
                )
            )
            return
        written(context, "PowerSetActiveScheme", lambda: context.machine.power.activate(plans[0].guid))


def _is_active(plans: list[Plan], context: ResourceContext) -> bool:
    """Whether the one plan is active; when that cannot be read, which is written, none is."""
    if not works(context, "PowerGetActiveScheme"):
        return False
    return len(plans) == 1 and plans[0].guid == context.machine.power.active


def _find(name: str, context: ResourceContext) -> list[Plan]:
    with calling("PowerEnumerate"):
        context.machine.ledger.attempt("PowerEnumerate")
    plans = context.machine.power.find(name)
    if not plans:
        raise invalid_operation(f"Unable to find the power plan '{name}'.")
    return plans
