"""ScheduledTask of ComputerManagementDsc 10 (class DSC_ScheduledTask), as far as facts about it are known.

Triggers and settings are kept and compared as they are given; passwords never, as in the module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.computer.scheduled_tasks import ScheduledTasks, Task
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_argument, is_same

_TYPES = (
    "Once",
    "Daily",
    "Weekly",
    "AtStartup",
    "AtLogon",
    "OnIdle",
    "OnEvent",
    "AtCreation",
    "OnSessionState",
)
_TEXTS = (
    "Description",
    "ActionExecutable",
    "ActionArguments",
    "ActionWorkingPath",
    "RepeatInterval",
    "StartTime",
    "ExecuteAsGMSA",
    "RandomDelay",
    "RepetitionDuration",
    "TriggerExecutionTimeLimit",
    "User",
    "IdleWaitTimeout",
    "NetworkName",
    "IdleDuration",
    "ExecutionTimeLimit",
    "RestartInterval",
    "EventSubscription",
    "Delay",
)
_SWITCHES = (
    "SynchronizeAcrossTimeZone",
    "StopAtDurationEnd",
    "DisallowDemandStart",
    "DisallowHardTerminate",
    "AllowStartIfOnBatteries",
    "Hidden",
    "RunOnlyIfIdle",
    "DisallowStartOnRemoteAppSession",
    "StartWhenAvailable",
    "DontStopIfGoingOnBatteries",
    "WakeToRun",
    "RestartOnIdle",
    "DontStopOnIdleEnd",
    "RunOnlyIfNetworkAvailable",
)
_RULES = (
    Rule("TaskName", is_mandatory=True),
    Rule("TaskPath"),
    *(Rule(name) for name in _TEXTS),
    *(Rule(name, "boolean") for name in _SWITCHES),
    Rule("ScheduleType", allowed=_TYPES),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Enable", "boolean"),
    Rule("BuiltInAccount", allowed=("SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE")),
    Rule("ExecuteAsCredential", "any"),
    *(Rule(name, "uint32") for name in ("DaysInterval", "WeeksInterval", "Priority", "RestartCount")),
    Rule("DaysOfWeek", "strings"),
    Rule("Compatibility", allowed=("AT", "V1", "Vista", "Win7", "Win8")),
    Rule("MultipleInstances", allowed=("IgnoreNew", "Parallel", "Queue", "StopExisting")),
    Rule("RunLevel", allowed=("Limited", "Highest")),
    Rule(
        "LogonType",
        allowed=(
            "Group",
            "Interactive",
            "InteractiveOrPassword",
            "None",
            "Password",
            "S4U",
            "ServiceAccount",
        ),
    ),
    Rule("EventValueQueries", "any"),
    Rule("StateChange"),
)
_WHO = frozenset(
    {"TaskName", "TaskPath", "Ensure", "Enable", "BuiltInAccount", "ExecuteAsCredential", "Description"}
)
#: What a task has unless its description says otherwise.
_DEFAULTS: Mapping[str, Any] = {
    "DaysInterval": 1,
    "WeeksInterval": 1,
    "Compatibility": "Vista",
    "MultipleInstances": "Queue",
    "Priority": 7,
    "RestartCount": 0,
    "RunLevel": "Limited",
    "ExecutionTimeLimit": "08:00:00",
    "RepeatInterval": "00:00:00",
    "RepetitionDuration": "00:00:00",
    "RandomDelay": "00:00:00",
    "Delay": "00:00:00",
}
_NOTHING = "00:00:00"


class ScheduledTask:
    """Stateless; an existing task is written again with the defaults of all that is not bound."""

    class_name = "DSC_ScheduledTask"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        path = _path(bound)
        task = context.machine.area(ScheduledTasks).find(bound["TaskName"], path)
        if task is None:
            return {"TaskName": bound["TaskName"], "TaskPath": path, "Ensure": "Absent", "Enable": False}
        return {
            **_DEFAULTS,
            **task.settings,
            "TaskName": task.name,
            "TaskPath": task.path,
            "Ensure": "Present",
            "Enable": task.is_enabled,
            "Description": task.description,
            "ExecuteAsCredential": task.user,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: bound properties; who runs the task only when an account is bound."""
        bound = bind("Test-TargetResource", _RULES, properties)
        task = context.machine.area(ScheduledTasks).find(bound["TaskName"], _path(bound))
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return task is None
        if task is None or task.is_enabled != bound.get("Enable", True):
            return False
        if "Description" in bound and not is_same(task.description, bound["Description"].strip()):
            return False
        if (user := _user(bound)) and not is_same(user.rpartition("\\")[2], task.user.rpartition("\\")[2]):
            return False
        shown = {**_DEFAULTS, **task.settings}
        return all(_is_equal(shown.get(name), value) for name, value in bound.items() if name not in _WHO)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        tasks = context.machine.area(ScheduledTasks)
        path = _path(bound)
        task = tasks.find(bound["TaskName"], path)
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if task:
                with calling("Unregister-ScheduledTask"):
                    tasks.unregister(task)
            return
        is_enabled = bound.get("Enable", True)
        if task and not is_enabled and "ScheduleType" not in bound and "ActionExecutable" not in bound:
            with calling("Set-ScheduledTask"):
                tasks.change(task, is_enabled=False)
            return
        _check(bound)
        settings = {name: value for name, value in bound.items() if name not in _WHO}
        user = _user(bound) or "NT AUTHORITY\\SYSTEM"
        description = bound.get("Description", "").strip()
        if task:
            with calling("Set-ScheduledTask"):
                tasks.change(
                    task,
                    user=user,
                    is_enabled=is_enabled,
                    settings=settings,
                    description=description or task.description,
                )
        else:
            with calling("Register-ScheduledTask"):
                tasks.register(
                    Task(
                        bound["TaskName"], path, user, is_enabled, description=description, settings=settings
                    )
                )


def _path(bound: Mapping[str, Any]) -> str:
    inner = bound.get("TaskPath", "\\").strip("\\")
    return f"\\{inner}\\" if inner else "\\"


def _user(bound: Mapping[str, Any]) -> str:
    """Give the account that is bound; '' for none, which is taken for the system but not checked."""
    if bound.get("BuiltInAccount"):
        return f"NT AUTHORITY\\{bound['BuiltInAccount'].upper()}"
    if bound.get("ExecuteAsGMSA"):
        return str(bound["ExecuteAsGMSA"])
    credential = bound.get("ExecuteAsCredential")
    return str(credential["UserName"]) if credential else ""


def _is_equal(shown: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        return sorted(map(str.casefold, shown or [])) == sorted(map(str.casefold, wanted))
    return is_same("" if shown is None else shown, wanted)


def _seconds(text: str) -> int:
    """Read a time span, ``d.hh:mm:ss`` or ``hh:mm:ss``; Indefinitely is longer than all."""
    if is_same(text, "Indefinitely"):
        return 2**62
    found = re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d+)(?::(\d+))?", text)
    if not found:
        return 0
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _check(bound: Mapping[str, Any]) -> None:
    """Refuse what makes no trigger.

    Raises:
        ResourceError: the id is the name of the parameter.
    """
    kind = bound.get("ScheduleType", "")
    interval = _seconds(bound.get("RepeatInterval", _NOTHING))
    duration = _seconds(bound.get("RepetitionDuration", _NOTHING))
    if interval and duration < interval:
        raise invalid_argument("The repetition duration is shorter than the repetition interval.", "Repeat")
    if is_same(kind, "Daily") and bound.get("DaysInterval", 1) == 0:
        raise invalid_argument("DaysInterval must be greater than zero for a daily schedule.", "DaysInterval")
    if is_same(kind, "Weekly") and bound.get("WeeksInterval", 1) == 0:
        raise invalid_argument(
            "WeeksInterval must be greater than zero for a weekly schedule.", "WeeksInterval"
        )
    if is_same(kind, "Weekly") and not bound.get("DaysOfWeek"):
        raise invalid_argument("At least one weekday must be given for a weekly schedule.", "DaysOfWeek")
    if is_same(kind, "OnEvent") and not bound.get("EventSubscription"):
        raise invalid_argument("An event subscription must be given for an event.", "EventSubscription")
    if is_same(kind, "OnSessionState") and not bound.get("StateChange"):
        raise invalid_argument("A state change must be given for a change of the session.", "StateChange")
    if interval and duration == interval:
        raise invalid_argument(
            "The repetition interval must be smaller than the repetition duration.", "RepetitionDuration"
        )
