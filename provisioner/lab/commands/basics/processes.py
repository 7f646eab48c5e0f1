"""Get-Process and Stop-Process."""

from __future__ import annotations

import fnmatch

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.basics.processes import Process, Processes
from provisioner.lab.values import ErrorRecord, Int64, PsObject

_COMMANDS = "Microsoft.PowerShell.Commands."
_TYPES = (
    "System.Diagnostics.Process",
    "System.ComponentModel.Component",
    "System.MarshalByRefObject",
    "System.Object",
)
_EXCEPTION = f"{_COMMANDS}ProcessCommandException"
_WORKING_SET = 12_582_912
_HANDLES = 150


async def get(invocation: Invocation) -> None:
    """Write the processes of a name, a number or all of them."""
    for process in await _chosen(invocation, "Get-Process"):
        invocation.output.write(
            _object(process, with_user=bool(invocation.parameters.get("IncludeUserName")))
        )


async def stop(invocation: Invocation) -> None:
    """End processes; those of Windows and its services do not let themselves be ended."""
    processes = invocation.node.machine.area(Processes)
    for process in await _chosen(invocation, "Stop-Process"):
        if invocation.parameters.get("WhatIf"):
            continue
        processes.stop(process.pid)
        if any(item.pid == process.pid for item in processes.running()):
            invocation.output.error(
                ErrorRecord(
                    f'Cannot stop process "{process.name} ({process.pid})" because of the following error: Access '
                    "is denied",
                    f"CouldNotStopProcess,{_COMMANDS}StopProcessCommand",
                    "CloseError",
                    _EXCEPTION,
                    "Stop-Process",
                    process.name,
                )
            )
        elif invocation.parameters.get("PassThru"):
            invocation.output.write(_object(process, with_user=False))


async def _chosen(invocation: Invocation, command: str) -> list[Process]:
    running = invocation.node.machine.area(Processes).running()
    parameters = invocation.parameters
    numbers = [int(item) for item in parameters.get("Id") or ()]
    patterns = texts(parameters.get("Name"))
    if not numbers and not patterns:
        piped = parameters.get("InputObject")
        given = piped if isinstance(piped, list) else [piped] if piped is not None else []
        given += [item async for item in invocation.input]
        numbers = [int(item.properties["Id"]) for item in given if isinstance(item, PsObject)]
        if not numbers and command == "Get-Process":
            return running
    found: list[Process] = []
    for pattern in patterns:
        wanted = pattern.casefold()
        matches = [item for item in running if fnmatch.fnmatchcase(item.name.casefold(), wanted)]
        if not matches and not any(char in pattern for char in "*?["):
            text = (
                f'Cannot find a process with the name "{pattern}". Verify the process name and call the cmdlet '
                "again."
            )
            invocation.output.error(_missing(text, "NoProcessFoundForGivenName", command, pattern))
        found += matches
    for number in numbers:
        matches = [item for item in running if item.pid == number]
        if not matches:
            text = f"Cannot find a process with the process identifier {number}."
            invocation.output.error(_missing(text, "NoProcessFoundForGivenId", command, number))
        found += matches
    return found


def _missing(text: str, error_id: str, command: str, target: object) -> ErrorRecord:
    kind = f"{_COMMANDS}{command.replace('-', '')}Command"
    return ErrorRecord(text, f"{error_id},{kind}", "ObjectNotFound", _EXCEPTION, command, target)


def _object(process: Process, *, with_user: bool) -> PsObject:
    values = {
        "Id": process.pid,
        "ProcessName": process.name,
        "HandleCount": _HANDLES,
        "WorkingSet64": Int64(_WORKING_SET),
        "WorkingSet": _WORKING_SET,
        "SessionId": 0,
        "MachineName": ".",
        "Responding": True,
        "HasExited": False,
        "PriorityClass": None,
    }
    notes = {
        "Name": process.name,
        "Handles": _HANDLES,
        "WS": Int64(_WORKING_SET),
        "Path": process.path or None,
        "__NounName": "Process",
    }
    if with_user:
        notes["UserName"] = process.user
    return PsObject(_TYPES, values, notes, f"System.Diagnostics.Process ({process.name})")
