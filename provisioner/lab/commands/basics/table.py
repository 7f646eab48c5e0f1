"""Commands of services and Windows features, one line each."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK, CMDLETS, COMPUTER, FORCE, MANAGEMENT

_HERE = "provisioner.lab.commands.basics"
_SERVICE_NAME = Parameter("Name", "array", 0, aliases=("ServiceName",))
_SERVICE = (
    _SERVICE_NAME,
    Parameter("DisplayName", "array"),
    Parameter("InputObject", "any"),
    Parameter("PassThru", "switch"),
    Parameter("Include", "array"),
    Parameter("Exclude", "array"),
    *ASK,
)

COMMANDS = (
    CommandSpec(
        "Get-Service",
        f"{_HERE}.get_service:run",
        MANAGEMENT,
        (_SERVICE_NAME, Parameter("DisplayName", "array"), Parameter("InputObject", "any"), COMPUTER),
        type_name=f"{CMDLETS}.GetServiceCommand",
    ),
    CommandSpec(
        "Start-Service",
        f"{_HERE}.start_service:run",
        MANAGEMENT,
        _SERVICE,
        type_name=f"{CMDLETS}.StartServiceCommand",
    ),
    CommandSpec(
        "Stop-Service",
        f"{_HERE}.stop_service:run",
        MANAGEMENT,
        (*_SERVICE, FORCE, Parameter("NoWait", "switch")),
        type_name=f"{CMDLETS}.StopServiceCommand",
    ),
    CommandSpec(
        "Get-WindowsFeature",
        f"{_HERE}.get_windows_feature:run",
        "ServerManager",
        (Parameter("Name", "array", 0), Parameter("ComputerName", "string"), Parameter("LogPath", "string")),
        type_name="Microsoft.Windows.ServerManager.Commands.GetWindowsFeatureCommand",
    ),
)
