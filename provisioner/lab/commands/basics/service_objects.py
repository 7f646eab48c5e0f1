"""What the service commands share: finding services, the ServiceController object and its errors."""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncIterator

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.ground.services import Service, StartMode
from provisioner.lab.values import EnumValue, ErrorRecord, PsObject

_TYPES = (
    "System.ServiceProcess.ServiceController",
    "System.ComponentModel.Component",
    "System.MarshalByRefObject",
    "System.Object",
)
_STATUS = {"Stopped": 1, "Running": 4}
_START_TYPE = {"Boot": 0, "System": 1, "Automatic": 2, "Manual": 3, "Disabled": 4}
_OWN_PROCESS, _SHARED_PROCESS = 16, 32
_EXCEPTION = "Microsoft.PowerShell.Commands.ServiceCommandException"


def service_object(service: Service, invocation: Invocation) -> PsObject:
    """Give a service as Get-Service of Windows PowerShell 5.1 shows it."""
    is_running = service.status == "Running"
    is_shared = "svchost.exe" in service.path
    dependants = [item.name for item in invocation.node.machine.services.dependants(service.name)]
    kind = ("Win32ShareProcess", _SHARED_PROCESS) if is_shared else ("Win32OwnProcess", _OWN_PROCESS)
    return PsObject(
        _TYPES,
        {
            "CanPauseAndContinue": False,
            "CanShutdown": is_running,
            "CanStop": is_running,
            "DisplayName": service.display_name,
            "DependentServices": dependants,
            "MachineName": ".",
            "ServiceName": service.name,
            "ServicesDependedOn": list(service.dependencies),
            "Status": EnumValue(
                "System.ServiceProcess.ServiceControllerStatus", service.status, _STATUS[service.status]
            ),
            "ServiceType": EnumValue("System.ServiceProcess.ServiceType", *kind),
            "StartType": EnumValue(
                "System.ServiceProcess.ServiceStartMode",
                service.startup_type,
                _START_TYPE[service.startup_type],
            ),
        },
        # Aliases that PowerShell's type file adds.
        {"Name": service.name, "RequiredServices": list(service.dependencies)},
        "System.ServiceProcess.ServiceController",
    )


def start_mode(value: object) -> StartMode:
    """Give the start mode of -StartupType, which may be an enumeration value."""
    text = str(getattr(value, "text", value)).casefold()
    modes: dict[str, StartMode] = {"automatic": "Auto", "manual": "Manual", "disabled": "Disabled"}
    return modes.get(text, "Auto")


def user_name(credential: object) -> str:
    """Give the user of a credential as a client sends it; empty without one."""
    return str(credential.properties.get("UserName") or "") if isinstance(credential, PsObject) else ""


async def chosen(invocation: Invocation, type_name: str, activity: str) -> AsyncIterator[Service]:
    """Yield the services named by -Name, -DisplayName or the pipeline; write an error for each missing one."""
    parameters = invocation.parameters
    if "DisplayName" in parameters:
        for pattern in texts(parameters["DisplayName"]):
            for service in _matching(invocation, pattern, type_name, activity, by_display_name=True):
                yield service
        return
    names = texts(parameters.get("Name"))
    piped = parameters.get("InputObject")
    if piped is not None:
        names = [_name_of(item) for item in (piped if isinstance(piped, list) else [piped])]
    elif "Name" not in parameters:
        names = [_name_of(item) async for item in invocation.input]
    for name in names:
        for service in _matching(invocation, name, type_name, activity):
            yield service


def _matching(
    invocation: Invocation, pattern: str, type_name: str, activity: str, *, by_display_name: bool = False
) -> list[Service]:
    wanted = pattern.casefold()
    found = [
        service
        for service in invocation.node.machine.services
        if fnmatch.fnmatchcase((service.display_name if by_display_name else service.name).casefold(), wanted)
    ]
    if not found and not any(char in pattern for char in "*?["):
        kind = "display" if by_display_name else "service"
        error_id = "NoServiceFoundForGivenDisplayName" if by_display_name else "NoServiceFoundForGivenName"
        invocation.output.error(
            ErrorRecord(
                f"Cannot find any service with {kind} name '{pattern}'.",
                f"{error_id},{type_name}",
                "ObjectNotFound",
                _EXCEPTION,
                activity,
                pattern,
            )
        )
    return found


def _name_of(item: object) -> str:
    if isinstance(item, PsObject):
        return str(
            item.extended.get("Name") or item.properties.get("Name") or item.properties.get("ServiceName")
        )
    return str(item)
