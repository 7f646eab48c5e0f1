"""WindowsOptionalFeature of PSDscResources 2.12 (class MSFT_WindowsOptionalFeature) and of Windows itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics import optional_features
from provisioner.lab.machine.ground.features import Feature
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same, thrown

_NAME = Rule("Name", is_mandatory=True)
_RULES = (
    _NAME,
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("RemoveFilesOnDisable", "boolean"),
    Rule("NoWindowsUpdateCheck", "boolean"),
    Rule("LogPath"),
    Rule("LogLevel", allowed=("ErrorsOnly", "ErrorsAndWarning", "ErrorsAndWarningAndInformation")),
)
_LOG = r"C:\Windows\Logs\DISM\dism.log"
_ENSURE = {"Enabled": "Present", "Disabled": "Absent"}


class WindowsOptionalFeature:
    """Stateless. Only Enabled is present and only Disabled is absent: other states are neither."""

    class_name = "MSFT_WindowsOptionalFeature"
    module = "PSDscResources"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: a state that is neither stands there as it is."""
        self._check_system()
        bound = bind("Get-TargetResource", (_NAME,), properties)
        feature = _find(bound["Name"], context)
        if feature is None:
            raise ResourceError(
                "Cannot bind argument to parameter 'State' because it is an empty string.",
                "ParameterArgumentValidationErrorEmptyStringNotAllowed,Get-TargetResource",
                "InvalidData",
                "System.Management.Automation.ParameterBindingValidationException",
            )
        state = _state(feature, context)
        return {
            "Name": feature.optional_name,
            "LogPath": _LOG,
            "LogLevel": "WarningsInfo",
            "Description": feature.description,
            "DisplayName": feature.display_name,
            "CustomProperties": list(feature.custom) or None,
            "Ensure": _ENSURE.get(state, state),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        self._check_system()
        bound = bind("Test-TargetResource", _RULES, properties)
        feature = _find(bound["Name"], context)
        actual = _ENSURE.get(_state(feature, context), "") if feature else "Absent"
        return is_same(bound.get("Ensure", "Present"), actual)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: parents are not enabled; any need of a restart asks for one."""
        self._check_system()
        bound = bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.feature_s)
        features = context.machine.features
        try:
            if is_same(bound.get("Ensure", "Present"), "Present"):
                needs_restart = optional_features.enable(features, bound["Name"])
            else:
                needs_restart = optional_features.disable(
                    features, bound["Name"], with_payload=bool(bound.get("RemoveFilesOnDisable"))
                )
        except MachineError as error:
            if error.is_terminating:
                raise thrown(error) from None
            context.nonterminating.append(thrown(error, "Dism\\Set-WindowsOptionalFeature"))
            return
        if needs_restart:
            context.reboot_requested = True

    def _check_system(self) -> None:
        """Any Windows will do."""


class InBoxWindowsOptionalFeature(WindowsOptionalFeature):
    """The one that comes with Windows refuses every server."""

    module = "PSDesiredStateConfiguration"

    def _check_system(self) -> None:
        text = "This resource is available only for Windows client operating systems."
        raise ResourceError(text, text, "OperationStopped", "System.Management.Automation.RuntimeException")


def _find(name: str, context: ResourceContext) -> Feature | None:
    """Look a feature up; after an error that is only written there is none."""
    try:
        return optional_features.find(context.machine.features, name)
    except MachineError as error:
        if error.is_terminating:
            raise thrown(error) from None
        context.nonterminating.append(thrown(error, "Dism\\Get-WindowsOptionalFeature"))
        return None


def _state(feature: Feature, context: ResourceContext) -> str:
    return optional_features.STATES[context.machine.features.state(feature.name)][0]
