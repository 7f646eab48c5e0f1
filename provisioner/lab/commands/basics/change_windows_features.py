"""Install-WindowsFeature and Uninstall-WindowsFeature, also under their older names."""

from __future__ import annotations

from typing import Any

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.features import FeatureChange
from provisioner.lab.values import EnumValue, ErrorRecord, PsObject, TerminatingError

_NAMESPACE = "Microsoft.Windows.ServerManager.Commands."
_RESTART = {"No": 0, "Yes": 1, "Maybe": 2}
_EXIT_CODES = {"Success": 0, "NoChangeNeeded": 1003, "SuccessRestartRequired": 3010, "Failed": 1}


async def install(invocation: Invocation) -> None:
    """Install features with what they need and write one answer for all of them."""
    parameters = invocation.parameters
    features = invocation.node.machine.features
    names = await _names(invocation)
    for name in names if parameters.get("Source") else ():
        features.restore_payload(name)
    if await _is_only_asked(invocation, names):
        return
    try:
        change = features.install(
            names,
            with_subs=bool(parameters.get("IncludeAllSubFeature")),
            with_tools=bool(parameters.get("IncludeManagementTools")),
        )
    except MachineError as error:
        raise TerminatingError(
            failure.record(error, f"{_NAMESPACE}AddWindowsFeatureCommand", "Install-WindowsFeature")
        ) from None
    await _answer(change, invocation)


async def uninstall(invocation: Invocation) -> None:
    """Remove features with what depends on them; with -Remove their files go too."""
    features = invocation.node.machine.features
    names = await _names(invocation)
    if await _is_only_asked(invocation, names):
        return
    try:
        change = features.uninstall(names)
    except MachineError as error:
        raise TerminatingError(
            failure.record(error, f"{_NAMESPACE}RemoveWindowsFeatureCommand", "Uninstall-WindowsFeature")
        ) from None
    for name in names if invocation.parameters.get("Remove") else ():
        features.remove_payload(name)
    await _answer(change, invocation)


async def _names(invocation: Invocation) -> list[str]:
    if "Name" in invocation.parameters:
        return failure.texts(invocation.parameters["Name"])
    piped = [item async for item in invocation.input]
    return [str(item.properties.get("Name")) if isinstance(item, PsObject) else str(item) for item in piped]


async def _is_only_asked(invocation: Invocation, names: list[str]) -> bool:
    if not names:
        raise TerminatingError(
            ErrorRecord(
                "Cannot process command because of one or more missing mandatory parameters: Name.",
                "MissingMandatoryParameter",
                "InvalidArgument",
                "System.Management.Automation.ParameterBindingException",
            )
        )
    if not invocation.parameters.get("WhatIf"):
        await invocation.node.sleep(invocation.node.machine.durations.feature_s)
    return bool(invocation.parameters.get("WhatIf"))


async def _answer(change: FeatureChange, invocation: Invocation) -> None:
    table = invocation.node.machine.features.table
    code = change.exit_code if change.is_success else "Failed"
    results = [_result(name, table.features[name.casefold()].display_name, change) for name in change.changed]
    invocation.output.write(
        PsObject(
            (f"{_NAMESPACE}FeatureOperationResult", "System.Object"),
            {
                "Success": change.is_success,
                "RestartNeeded": _restart(change.restart_needed),
                "FeatureResult": results,
                "ExitCode": EnumValue(f"{_NAMESPACE}FeatureOperationExitCode", code, _EXIT_CODES[code]),
            },
        )
    )
    if change.restart_needed != "Yes":
        return
    if invocation.parameters.get("Restart"):
        invocation.node.restart()
    else:
        invocation.output.warning("You must restart this server to finish the installation process.")


def _restart(needed: str) -> EnumValue:
    return EnumValue(f"{_NAMESPACE}RestartState", needed, _RESTART[needed])


def _result(name: str, display_name: str, change: FeatureChange) -> PsObject:
    values: dict[str, Any] = {
        "DisplayName": display_name,
        "Message": [],
        "Name": name,
        "RestartNeeded": _restart(change.restart_needed),
        "SkipReason": EnumValue(f"{_NAMESPACE}FeatureSkipReason", "NotSkipped", 0),
        "Success": change.is_success,
    }
    return PsObject((f"{_NAMESPACE}FeatureResult", "System.Object"), values, text=display_name)
