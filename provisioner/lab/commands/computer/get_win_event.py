"""Get-WinEvent: events of logs, newest first; with -ListLog the logs themselves."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.computer.event_log import LEVELS, Event, EventLog, LogSettings
from provisioner.lab.values import ErrorRecord, Int64, PsObject

_TYPE = "Microsoft.PowerShell.Commands.GetWinEventCommand"


async def run(invocation: Invocation) -> None:
    """Write events or logs; a log nobody has, and no event at all, are errors."""
    area = invocation.node.machine.area(EventLog)
    if patterns := texts(invocation.parameters.get("ListLog")):
        for log in _logs(invocation, area, patterns):
            invocation.output.write(_shown_log(area, log))
        return
    conditions: Mapping[str, Any] = invocation.parameters.get("FilterHashtable") or {}
    wanted = {str(name).casefold(): value for name, value in conditions.items()}
    names = texts(wanted.get("logname", invocation.parameters.get("LogName"))) or ["*"]
    events = [
        (log, event)
        for log in _logs(invocation, area, names)
        for event in area.events(log.name)
        if _fits(event, wanted, texts(invocation.parameters.get("ProviderName")))
    ]
    events.sort(key=lambda row: row[1].time, reverse=not invocation.parameters.get("Oldest"))
    most = invocation.parameters.get("MaxEvents")
    for log, event in events[:most]:
        invocation.output.write(_shown_event(invocation, log, event))
    if not events:
        invocation.output.error(
            ErrorRecord(
                "No events were found that match the specified selection criteria.",
                f"NoMatchingEventsFound,{_TYPE}",
                "ObjectNotFound",
                "System.Exception",
                "Get-WinEvent",
            )
        )


def _logs(invocation: Invocation, area: EventLog, patterns: list[str]) -> list[LogSettings]:
    found = []
    for pattern in patterns:
        matching = [
            log for log in area.logs() if fnmatch.fnmatchcase(log.name.casefold(), pattern.casefold())
        ]
        found += matching
        if not matching:
            invocation.output.error(
                ErrorRecord(
                    f'There is not an event log on the localhost computer that matches "{pattern}".',
                    f"NoMatchingLogsFound,{_TYPE}",
                    "ObjectNotFound",
                    "System.Exception",
                    "Get-WinEvent",
                    pattern,
                )
            )
    return found


def _fits(event: Event, wanted: Mapping[str, Any], providers: list[str]) -> bool:
    providers = texts(wanted.get("providername")) or providers
    ids, levels = texts(wanted.get("id")), texts(wanted.get("level"))
    start, end = wanted.get("starttime"), wanted.get("endtime")
    return (
        (not providers or event.source.casefold() in {item.casefold() for item in providers})
        and (not ids or str(event.event_id) in ids)
        and (not levels or str(LEVELS[event.level]) in levels)
        and (not isinstance(start, datetime) or event.time >= start)
        and (not isinstance(end, datetime) or event.time <= end)
    )


def _shown_event(invocation: Invocation, log: LogSettings, event: Event) -> PsObject:
    return PsObject(
        (
            "System.Diagnostics.Eventing.Reader.EventLogRecord",
            "System.Diagnostics.Eventing.Reader.EventRecord",
            "System.Object",
        ),
        {
            "Id": event.event_id,
            "ProviderName": event.source,
            "LogName": log.name,
            "MachineName": invocation.node.machine.computer_name,
            "RecordId": Int64(event.record_id),
            "TimeCreated": event.time,
            "Level": LEVELS[event.level],
            "LevelDisplayName": event.level,
            "Properties": list(event.properties),
        },
        {"Message": event.text},
    )


def _shown_log(area: EventLog, log: LogSettings) -> PsObject:
    return PsObject(
        ("System.Diagnostics.Eventing.Reader.EventLogConfiguration", "System.Object"),
        {
            "LogName": log.name,
            "LogType": log.kind,
            "LogMode": log.mode,
            "IsEnabled": log.is_enabled,
            "IsClassicLog": log.is_classic,
            "MaximumSizeInBytes": Int64(log.size),
            "LogFilePath": log.file,
            "SecurityDescriptor": log.security,
        },
        {"RecordCount": Int64(len(area.events(log.name)))},
    )
