"""Get-WindowsFeature: roles and features by name or wildcard; an unknown name gives nothing, as on Windows."""

from __future__ import annotations

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.features import Feature, Features, FeatureState
from provisioner.lab.values import EnumValue, PsObject, TerminatingError

TYPE = "Microsoft.Windows.ServerManager.Commands.GetWindowsFeatureCommand"
_TYPES = ("Microsoft.Windows.ServerManager.Commands.Feature", "System.Object")
# The numbers are those of the order in the documentation; only the texts are documented.
_STATES = {state: number for number, state in enumerate(FeatureState)}


async def run(invocation: Invocation) -> None:
    """Write the features in the order of the listing."""
    machine = invocation.node.machine
    try:
        machine.ledger.attempt("Get-WindowsFeature")
    except MachineError as error:
        raise TerminatingError(failure.record(error, TYPE, "Get-WindowsFeature")) from None
    for pattern in failure.texts(invocation.parameters.get("Name")) or ["*"]:
        for feature in machine.features.match(pattern):
            invocation.output.write(_object(feature, machine.features))


def _object(feature: Feature, features: Features) -> PsObject:
    state = features.state(feature.name)
    path = [feature.display_name]
    parent = features.find(feature.parent) if feature.parent else None
    while parent is not None:
        path.insert(0, parent.display_name)
        parent = features.find(parent.parent) if parent.parent else None
    return PsObject(
        _TYPES,
        {
            "Name": feature.name,
            "DisplayName": feature.display_name,
            "Installed": state is FeatureState.INSTALLED,
            "InstallState": EnumValue(
                "Microsoft.Windows.ServerManager.Commands.InstallState", state.value, _STATES[state]
            ),
            "FeatureType": feature.kind,
            "Path": "\\".join(path),
            "Depth": len(path),
            "DependsOn": list(feature.depends_on),
            "Parent": feature.parent,
            "SubFeatures": list(feature.subs),
            "SystemService": list(feature.services),
            "PostConfigurationNeeded": False,
        },
        text=feature.name,
    )
