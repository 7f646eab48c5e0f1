"""The same features under the names and states that DISM has for them. State lies with the features themselves."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.features import Feature, Features, FeatureState

#: Text and number of Microsoft.Dism.Commands.FeatureState.
STATES: Mapping[FeatureState, tuple[str, int]] = {
    FeatureState.AVAILABLE: ("Disabled", 0),
    FeatureState.UNINSTALL_PENDING: ("DisablePending", 1),
    FeatureState.INSTALLED: ("Enabled", 2),
    FeatureState.INSTALL_PENDING: ("EnablePending", 3),
    FeatureState.SUPERSEDED: ("Superseded", 4),
    FeatureState.PARTIALLY_INSTALLED: ("PartiallyInstalled", 5),
    FeatureState.REMOVED: ("DisabledWithPayloadRemoved", 6),
}
_ON = {FeatureState.INSTALLED, FeatureState.INSTALL_PENDING}
_COMMANDS = "Microsoft.Dism.Commands."


def find(features: Features, name: str) -> Feature:
    """Look a feature up by the name DISM has for it.

    Raises:
        MachineError: DISM does not know the name (0x800f080c).
    """
    features.attempt("Get-WindowsOptionalFeature")
    return _known(features, name, "GetWindowsOptionalFeatureCommand")


def _known(features: Features, name: str, command: str) -> Feature:
    wanted = name.casefold()
    for feature in listed(features):
        if feature.optional_name.casefold() == wanted:
            return feature
    raise _refusal(f"Feature name {name} is unknown.", command)


def listed(features: Features) -> list[Feature]:
    """All features that DISM knows here."""
    return [item for item in features.table.features.values() if item.optional_name]


def enable(features: Features, name: str, *, with_parents: bool = False) -> bool:
    """Enable a feature, its parents only if asked for; gives whether a restart is needed.

    Raises:
        MachineError: an unknown name, parents that are disabled, or files that are not there.
    """
    features.attempt("Enable-WindowsOptionalFeature")
    command = "EnableWindowsOptionalFeatureCommand"
    feature = _known(features, name, command)
    chain = [feature]
    while (parent := chain[-1].parent) is not None and (above := features.find(parent)) is not None:
        chain.append(above)
    missing = [item for item in reversed(chain) if features.state(item.name) not in _ON]
    if not with_parents and any(item is not feature for item in missing):
        raise _refusal(
            "One or several parent features are disabled so current feature can not be enabled.", command
        )
    if any(features.state(item.name) is FeatureState.REMOVED for item in missing):
        raise _refusal(
            'The source files could not be found. Use the "Source" option to specify the location of the files '
            "that are required to restore the feature.",
            command,
        )
    for item in missing:
        features.switch_on(item)
    return any(item.restart == "Yes" for item in missing)


def disable(features: Features, name: str, *, with_payload: bool = False) -> bool:
    """Disable a feature and those below it; gives whether a restart is needed."""
    features.attempt("Disable-WindowsOptionalFeature")
    below = [_known(features, name, "DisableWindowsOptionalFeatureCommand")]
    for item in below:
        below += [sub for sub in map(features.find, item.subs) if sub is not None]
    installed = [item for item in below if features.state(item.name) in _ON]
    for item in reversed(installed):
        features.switch_off(item)
    if with_payload:
        for item in below:
            features.remove_payload(item.name)
    return any(item.restart_removal == "Yes" for item in installed)


def _refusal(text: str, command: str) -> MachineError:
    return MachineError(
        text,
        _COMMANDS + command,
        "NotSpecified",
        "System.Runtime.InteropServices.COMException",
        is_terminating=True,
    )
