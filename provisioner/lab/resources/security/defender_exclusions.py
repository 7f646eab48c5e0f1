"""DefenderExclusions of ProvisionerDsc (class PROV_DefenderExclusions): adds to Defender's lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.security.defender import FEATURE, Defender
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_LISTS: Final = {
    "Paths": "ExclusionPath",
    "Extensions": "ExclusionExtension",
    "Processes": "ExclusionProcess",
}
_RULES: Final = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    *(Rule(name, "strings") for name in _LISTS),
)
_POLICY: Final = r"SOFTWARE\Policies\Microsoft\Windows Defender"
#: The root of a drive is as long; it keeps its backslash.
_ROOT_LENGTH: Final = 3


class DefenderExclusions:
    """Stateless. Exclusions of others are left alone."""

    class_name = "PROV_DefenderExclusions"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: all exclusions."""
        bind("Get-TargetResource", _RULES[:1], properties)
        return {"IsSingleInstance": "Yes", "Ensure": None, **_found(context)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return not any(_rest(bound, context).values())

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource; what Defender accepts and undoes is an error."""
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        defender = context.machine.area(Defender)
        is_present = _is_present(bound)
        for name, values in _rest(bound, context).items():
            if values and is_present:
                with calling("Add-MpPreference"):
                    defender.exclude(_LISTS[name], values)
            elif values:
                with calling("Remove-MpPreference"):
                    defender.include(_LISTS[name], values)
        kept = [item for values in _rest(bound, context).values() for item in values]
        if kept:
            reason = "A policy may forbid it."
            if defender.is_tamper_protected:
                reason = "Tamper protection is on: who manages Defender centrally has to set them there."
            raise _denied(
                f"Defender took the change of {', '.join(kept)} and did not carry it out. {reason}",
                "ExclusionsNotApplied",
            )


def _is_present(bound: Mapping[str, Any]) -> bool:
    return is_same(bound.get("Ensure", "Present"), "Present")


def _rest(bound: Mapping[str, Any], context: ResourceContext) -> dict[str, list[str]]:
    """Give what is missing, or what is there and should not be, by list."""
    wanted = {name: list(bound.get(name) or ()) for name in _LISTS}
    if not any(wanted.values()):
        return wanted
    found = {name: {_key(name, item): item for item in items} for name, items in _found(context).items()}
    if _is_present(bound):
        return {
            name: [item for item in items if _key(name, item) not in found[name]]
            for name, items in wanted.items()
        }
    return {
        name: [found[name][key] for key in (_key(name, item) for item in items) if key in found[name]]
        for name, items in wanted.items()
    }


def _found(context: ResourceContext) -> dict[str, list[str]]:
    machine = context.machine
    if not machine.features.is_installed(FEATURE):
        raise resource_error(
            "Microsoft Defender is not installed on this node (feature Windows-Defender).",
            "DefenderMissing",
            "ObjectNotFound",
        )
    if str(machine.registry.get(_POLICY, "DisableLocalAdminMerge")) == "1":
        raise _denied(
            "A group policy (DisableLocalAdminMerge) has Defender ignore exclusions that are set on the node. Set "
            "them in the policy.",
            "ExclusionPolicy",
        )
    with calling("Get-MpPreference"):
        preferences = machine.area(Defender).preferences()
    found = {name: [item for item in preferences[preference] if item] for name, preference in _LISTS.items()}
    for values in found.values():
        if len(values) == 1 and values[0].startswith("N/A:"):
            raise _denied(f"Defender hides its exclusions: {values[0]}", "ExclusionsHidden")
    return found


def _key(name: str, value: str) -> str:
    if name == "Extensions":
        return value.lstrip(".").casefold()
    if name == "Paths" and len(value) > _ROOT_LENGTH:
        return value.rstrip("\\").casefold()
    return value.casefold()


def _denied(message: str, error_id: str) -> ResourceError:
    return resource_error(message, error_id, "PermissionDenied")
