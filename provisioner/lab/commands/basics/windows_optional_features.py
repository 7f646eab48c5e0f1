"""Get-, Enable- and Disable-WindowsOptionalFeature: features of the running system as DISM has them."""

from __future__ import annotations

import fnmatch
from typing import Any

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics import optional_features
from provisioner.lab.machine.ground.features import Feature
from provisioner.lab.values import EnumValue, ErrorRecord, PsObject, TerminatingError

_OBJECTS = "Microsoft.Dism.Commands."
_LOG = r"C:\Windows\Logs\DISM\dism.log"


async def get(invocation: Invocation) -> None:
    """Write one feature with its texts, or all of them with name and state only."""
    features = invocation.node.machine.features
    name = invocation.parameters.get("FeatureName")
    if name and not any(char in name for char in "*?"):
        try:
            feature = optional_features.find(features, name)
        except MachineError as error:
            invocation.output.error(_record(error, "Get-WindowsOptionalFeature"))
            return
        invocation.output.write(_feature(feature, invocation, is_whole=True))
        return
    pattern = (name or "*").casefold()
    for feature in optional_features.listed(features):
        if fnmatch.fnmatchcase(feature.optional_name.casefold(), pattern):
            invocation.output.write(_feature(feature, invocation, is_whole=False))


async def enable(invocation: Invocation) -> None:
    """Enable each feature, with -All its parents too."""
    await _change(invocation, "Enable-WindowsOptionalFeature")


async def disable(invocation: Invocation) -> None:
    """Disable each feature, with -Remove its files too."""
    await _change(invocation, "Disable-WindowsOptionalFeature")


async def _change(invocation: Invocation, command: str) -> None:
    parameters = invocation.parameters
    features = invocation.node.machine.features
    needs_restart = False
    await invocation.node.sleep(invocation.node.machine.durations.feature_s)
    for name in failure.texts(parameters["FeatureName"]):
        try:
            if command.startswith("Enable"):
                needs_restart |= optional_features.enable(
                    features, name, with_parents=bool(parameters.get("All"))
                )
            else:
                needs_restart |= optional_features.disable(
                    features, name, with_payload=bool(parameters.get("Remove"))
                )
        except MachineError as error:
            raise TerminatingError(_record(error, command)) from None
    invocation.output.write(
        PsObject(
            (f"{_OBJECTS}ImageObject", f"{_OBJECTS}BaseDismObject", "System.Object"),
            {
                "Path": "",
                "Online": True,
                **_base(),
                "RestartNeeded": needs_restart,
            },
        )
    )
    if needs_restart and parameters.get("NoRestart"):
        invocation.output.warning("Restart is suppressed because NoRestart is specified.")


def _feature(feature: Feature, invocation: Invocation, *, is_whole: bool) -> PsObject:
    text, number = optional_features.STATES[invocation.node.machine.features.state(feature.name)]
    values: dict[str, Any] = {
        "FeatureName": feature.optional_name,
        "State": EnumValue(f"{_OBJECTS}FeatureState", text, number),
    }
    kind = f"{_OBJECTS}BasicFeatureObject"
    names: tuple[str, ...] = (kind,)
    if is_whole:
        names = (f"{_OBJECTS}AdvancedFeatureObject", kind)
        needed = "Possible" if feature.restart == "Yes" else "No"
        values |= {
            "DisplayName": feature.display_name,
            "Description": feature.description,
            "RestartRequired": EnumValue(f"{_OBJECTS}RestartType", needed, int(needed == "Possible")),
            "CustomProperties": list(feature.custom),
        }
    values |= {"Path": "", "Online": True, **_base()}
    return PsObject((*names, f"{_OBJECTS}ImageObject", f"{_OBJECTS}BaseDismObject", "System.Object"), values)


def _base() -> dict[str, Any]:
    return {
        "WinPath": "",
        "SysDrivePath": "",
        "RestartNeeded": False,
        "LogPath": _LOG,
        "ScratchDirectory": "",
        "LogLevel": EnumValue(f"{_OBJECTS}LogLevel", "WarningsInfo", 3),
    }


def _record(error: MachineError, command: str) -> ErrorRecord:
    return ErrorRecord(error.message, error.error_id, error.category, error.exception_type, command)
