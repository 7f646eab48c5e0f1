"""WindowsFeature of PSDscResources 2.12 (class MSFT_WindowsFeature)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.features import Feature, FeatureChange
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_operation, is_same

_RULES = (
    Rule("Name", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("IncludeAllSubFeature", "boolean"),
    Rule("Credential", "any", may_be_empty=False),
    Rule("LogPath", may_be_empty=False),
)
_GET_RULES = tuple(rule for rule in _RULES if rule.name in {"Name", "Credential"})
_CMDLETS = "Microsoft.Windows.ServerManager.Commands."


class WindowsFeature:
    """Stateless; see the rules of the module in the facts named by docs/lab.md."""

    class_name = "MSFT_WindowsFeature"
    module = "PSDscResources"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _GET_RULES, properties)
        feature = _find(bound["Name"], context)
        features = context.machine.features
        has_all = bool(feature.subs) and all(
            features.is_installed(_find(sub, context).name) for sub in feature.subs
        )
        return {
            "Name": bound["Name"],
            "DisplayName": feature.display_name,
            "Ensure": "Present" if features.is_installed(feature.name) else "Absent",
            "IncludeAllSubFeature": has_all,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: the feature and, if asked for, its direct sub-features."""
        bound = bind("Test-TargetResource", _RULES, properties)
        feature = _find(bound["Name"], context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        installed = context.machine.features.is_installed
        is_right = installed(feature.name) == is_present
        if is_right and bound.get("IncludeAllSubFeature"):
            is_right = all(installed(_find(sub, context).name) == is_present for sub in feature.subs)
        return is_right

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: add or remove; only RestartNeeded Yes asks for a boot, not Maybe."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _demand_server_manager(context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        if not is_present and bound.get("Credential") is not None:
            # The module writes into a table that exists only on the other path, under strict mode.
            raise ResourceError(
                "The variable '$addWindowsFeatureParameters' cannot be retrieved because it has not been set.",
                "VariableIsUndefined,Set-TargetResource",
                "InvalidOperation",
                "System.Management.Automation.RuntimeException",
            )
        await context.sleep(context.machine.durations.feature_s)
        change = _run(bound, context, is_present=is_present)
        if not change.is_success:
            verb = "install" if is_present else "uninstall"
            raise invalid_operation(f"Failure to successfully {verb} the feature {bound['Name']} .")
        if change.restart_needed == "Yes":
            context.verbose("The Target machine needs to be restarted.")
            context.reboot_requested = True


def _run(bound: Mapping[str, Any], context: ResourceContext, *, is_present: bool) -> FeatureChange:
    features = context.machine.features
    command = _CMDLETS + ("AddWindowsFeatureCommand" if is_present else "RemoveWindowsFeatureCommand")
    with calling(command):
        if is_present:
            return features.install([bound["Name"]], with_subs=bool(bound.get("IncludeAllSubFeature")))
        return features.uninstall([bound["Name"]])


def _demand_server_manager(context: ResourceContext) -> None:
    try:
        context.machine.ledger.attempt("Import-Module ServerManager")
    except MachineError:
        raise invalid_operation(
            "Installing roles and features using PowerShell Desired State Configuration is supported only on "
            "Server SKU's. It is not supported on Client SKU."
        ) from None


def _find(name: str, context: ResourceContext) -> Feature:
    features = context.machine.features
    _demand_server_manager(context)
    with calling(_CMDLETS + "GetWindowsFeatureCommand"):
        context.machine.ledger.attempt("Get-WindowsFeature")
    found = features.match(name)
    if not found:
        raise invalid_operation(f"The requested feature {name} could not be found on the target machine.")
    if len(found) > 1:
        raise invalid_operation(
            f"Failure to get the requested feature {name} information from the target machine. Wildcard pattern "
            "is not supported in the feature name."
        )
    return found[0]
