"""WindowsFeature of PSDscResources 2.12 (class MSFT_WindowsFeature)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.features import Feature, FeatureChange
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_operation, is_same

_RULES = (
    Rule("Name", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("IncludeAllSubFeature", "boolean"),
    Rule("Credential", "credential", may_be_empty=False),
    Rule("LogPath", may_be_empty=False),
)
_GET_RULES = tuple(rule for rule in _RULES if rule.name in {"Name", "Credential"})
_UNTRANSLATED = "Some or all identity references could not be translated"
_RUNTIME = "System.Management.Automation.RuntimeException"
_CMDLETS = "Microsoft.Windows.ServerManager.Commands."


class WindowsFeature:
    """Stateless; see the rules of the module in the facts named by docs/lab.md."""

    class_name = "MSFT_WindowsFeature"
    module = "PSDscResources"
    #: Whether IncludeAllSubFeature asks for installed sub-features even where the feature shall be absent.
    wants_all_present = False
    rules: tuple[Rule, ...] = _RULES

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _GET_RULES, properties)
        feature = self._find(bound["Name"], context)
        features = context.machine.features
        has_all = bool(feature.subs) and all(
            features.is_installed(self._find(sub, context).name) for sub in feature.subs
        )
        return {
            "Name": bound["Name"],
            "DisplayName": feature.display_name,
            "Ensure": "Present" if features.is_installed(feature.name) else "Absent",
            "IncludeAllSubFeature": has_all,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: the feature and, if asked for, its direct sub-features."""
        bound = bind("Test-TargetResource", self.rules, properties)
        feature = self._find(bound["Name"], context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        installed = context.machine.features.is_installed
        is_right = installed(feature.name) == is_present
        if is_right and bound.get("IncludeAllSubFeature"):
            wanted = is_present or self.wants_all_present
            is_right = all(installed(self._find(sub, context).name) == wanted for sub in feature.subs)
        return is_right

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: add or remove; only RestartNeeded Yes asks for a boot, not Maybe."""
        bound = bind("Set-TargetResource", self.rules, properties)
        self._demand_server_manager(context)
        is_present = is_same(bound.get("Ensure", "Present"), "Present")
        if not is_present and bound.get("Credential") is not None and not self.wants_all_present:
            # The module writes into a table that exists only on the other path, under strict mode.
            raise ResourceError(
                "The variable '$addWindowsFeatureParameters' cannot be retrieved because it has not been set.",
                "VariableIsUndefined,Set-TargetResource",
                "InvalidOperation",
                _RUNTIME,
            )
        await context.sleep(context.machine.durations.feature_s)
        if is_present and bound.get("Source"):
            context.machine.features.restore_payload(bound["Name"])
        change = _run(bound, context, is_present=is_present)
        if not change.is_success:
            verb = "install" if is_present else "uninstall"
            raise self._failure(
                "FeatureInstallationFailure" if is_present else "FeatureUnInstallationFailure",
                f"Failure to successfully {verb} the feature {bound['Name']} .",
            )
        if change.restart_needed == "Yes":
            context.verbose("The Target machine needs to be restarted.")
            context.reboot_requested = True

    def _demand_server_manager(self, context: ResourceContext) -> None:
        ledger = context.machine.ledger
        with calling("Get-CimInstance"):
            ledger.attempt("Get-CimInstance")
        try:
            ledger.attempt("Import-Module")
            ledger.attempt("Import-Module ServerManager")
        except MachineError as error:
            # This one the module takes for a server all the same.
            if _UNTRANSLATED in error.message and error.exception_type == _RUNTIME:
                return
            raise self._failure(
                "SkuNotSupported",
                "Installing roles and features using PowerShell Desired State Configuration is supported only on "
                "Server SKU's. It is not supported on Client SKU.",
            ) from None

    def _find(self, name: str, context: ResourceContext) -> Feature:
        features = context.machine.features
        self._demand_server_manager(context)
        with calling(_CMDLETS + "GetWindowsFeatureCommand"):
            context.machine.ledger.attempt("Get-WindowsFeature")
        found = features.match(name)
        if not found:
            raise self._failure(
                "FeatureNotFound", f"The requested feature {name} could not be found on the target machine."
            )
        if len(found) > 1:
            raise self._failure(
                "FeatureDiscoveryFailure",
                f"Failure to get the requested feature {name} information from the target machine. Wildcard "
                "pattern is not supported in the feature name.",
            )
        return found[0]

    def _failure(self, reason: str, text: str) -> ResourceError:
        """Make the error of the module; ``reason`` is the id where it has ids of its own."""
        del reason
        return invalid_operation(text)


class Role(WindowsFeature):
    """The WindowsFeature that comes with Windows: with Source, and with ids of its own."""

    class_name = "MSFT_RoleResource"
    module = "PSDesiredStateConfiguration"
    wants_all_present = True
    rules = (*_RULES, Rule("Source", may_be_empty=False))

    def _failure(self, reason: str, text: str) -> ResourceError:
        category = "InvalidResult" if reason.startswith("Feature") else "NotSpecified"
        return ResourceError(text, reason, category, "System.InvalidOperationException")


def _run(bound: Mapping[str, Any], context: ResourceContext, *, is_present: bool) -> FeatureChange:
    features = context.machine.features
    command = _CMDLETS + ("AddWindowsFeatureCommand" if is_present else "RemoveWindowsFeatureCommand")
    with calling(command):
        if is_present:
            return features.install([bound["Name"]], with_subs=bool(bound.get("IncludeAllSubFeature")))
        return features.uninstall([bound["Name"]])
