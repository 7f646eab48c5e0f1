"""Get-ScheduledTask and Get-ScheduledTaskInfo: tasks by name and folder, and when they ran."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, piped, query, value_of
from provisioner.lab.machine.computer.scheduled_tasks import ScheduledTasks, Task
from provisioner.lab.values import EnumValue, PsObject, UInt32

CLASS = "MSFT_ScheduledTask"
NAMESPACE = "Root/Microsoft/Windows/TaskScheduler"
_STATES = {"Unknown": 0, "Disabled": 1, "Queued": 2, "Ready": 3, "Running": 4}
_ENUM = "Microsoft.PowerShell.Cmdletization.GeneratedTypes.ScheduledTask.StateEnum"


def _chosen(invocation: Invocation, cmdlet: str) -> list[Task]:
    tasks = invocation.node.machine.area(ScheduledTasks).tasks()
    return query(
        invocation,
        cmdlet,
        CLASS,
        tasks,
        {"TaskName": lambda item: item.name, "TaskPath": lambda item: item.path},
    )


async def meant(invocation: Invocation, cmdlet: str) -> list[Task]:
    """Give the tasks that are named, or that come down the pipeline."""
    if {"TaskName", "TaskPath"} & invocation.parameters.keys():
        return _chosen(invocation, cmdlet)
    area = invocation.node.machine.area(ScheduledTasks)
    named = [
        (str(value_of(item, "TaskName")), str(value_of(item, "TaskPath"))) for item in await piped(invocation)
    ]
    return [task for name, path in named if (task := area.find(name, path))]


def shown(task: Task) -> PsObject:
    """Make the object of a task."""
    return instance(
        CLASS,
        {
            "TaskName": task.name,
            "TaskPath": task.path,
            "Description": task.description,
            "URI": f"{task.path}{task.name}",
            "Author": None,
        },
        {"State": EnumValue(_ENUM, task.state, _STATES[task.state])},
        namespace=NAMESPACE,
        key=f"{task.path}{task.name}",
    )


async def run(invocation: Invocation) -> None:
    """Write the tasks; a name that none has is an error."""
    for task in _chosen(invocation, "Get-ScheduledTask"):
        invocation.output.write(shown(task))


async def run_info(invocation: Invocation) -> None:
    """Write when each task ran; those of the pipeline, or those that are named."""
    for task in await meant(invocation, "Get-ScheduledTaskInfo"):
        invocation.output.write(
            instance(
                "MSFT_TaskDynamicInfo",
                {
                    "TaskName": task.name,
                    "TaskPath": task.path,
                    "LastRunTime": None,
                    "LastTaskResult": UInt32(task.last_result),
                    "NextRunTime": None,
                    "NumberOfMissedRuns": UInt32(0),
                },
                namespace=NAMESPACE,
                key=task.name,
            )
        )
