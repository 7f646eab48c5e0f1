"""Get-EventLog: events of a classic log, newest first; with -List the classic logs."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.computer.event_log import EventLog
from provisioner.lab.values import ErrorRecord, PsObject, TerminatingError

_TYPE = "Microsoft.PowerShell.Commands.GetEventLogCommand"
_KB = 1024


async def run(invocation: Invocation) -> None:
    """Write events or logs.

    Raises:
        TerminatingError: there is no such classic log.
    """
    area = invocation.node.machine.area(EventLog)
    classic = {log.name.casefold(): log for log in area.logs() if log.is_classic}
    if invocation.parameters.get("List"):
        for log in classic.values():
            invocation.output.write(
                PsObject(
                    ("System.Diagnostics.EventLog", "System.ComponentModel.Component", "System.Object"),
                    {"Log": log.name, "LogDisplayName": log.name, "MaximumKilobytes": log.size // _KB},
                )
            )
        return
    name = str(invocation.parameters.get("LogName", ""))
    if name.casefold() not in classic:
        raise TerminatingError(
            ErrorRecord(
                f"The event log '{name}' on computer '.' does not exist.",
                f"System.InvalidOperationException,{_TYPE}",
                "NotSpecified",
                "System.InvalidOperationException",
                "Get-EventLog",
            )
        )
    sources = {item.casefold() for item in texts(invocation.parameters.get("Source"))}
    kinds = {item.casefold() for item in texts(invocation.parameters.get("EntryType"))}
    ids = set(texts(invocation.parameters.get("InstanceId")))
    found = [
        event
        for event in reversed(area.events(name))
        if (not sources or event.source.casefold() in sources)
        and (not kinds or event.level.casefold() in kinds)
        and (not ids or str(event.event_id) in ids)
    ]
    for event in found[: invocation.parameters.get("Newest")]:
        invocation.output.write(
            PsObject(
                ("System.Diagnostics.EventLogEntry", "System.ComponentModel.Component", "System.Object"),
                {
                    "EventID": event.event_id,
                    "InstanceId": event.event_id,
                    "Index": event.record_id,
                    "EntryType": event.level,
                    "Source": event.source,
                    "Message": event.text,
                    "TimeGenerated": event.time,
                    "TimeWritten": event.time,
                    "MachineName": invocation.node.machine.computer_name,
                    "ReplacementStrings": list(event.properties),
                },
            )
        )
