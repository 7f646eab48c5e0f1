"""Enable-, Disable- and Unregister-ScheduledTask: switch tasks on and off, or remove them."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.computer.get_scheduled_task import meant, shown
from provisioner.lab.machine.computer.scheduled_tasks import ScheduledTasks


async def _switch(cmdlet: str, invocation: Invocation) -> None:
    area = invocation.node.machine.area(ScheduledTasks)
    for task in await meant(invocation, cmdlet):
        worked = act(
            invocation, cmdlet, partial(area.change, task, is_enabled=cmdlet.startswith("Enable")), task.name
        )
        changed = area.find(task.name, task.path)
        if worked and changed:
            invocation.output.write(shown(changed))


run_enable = partial(_switch, "Enable-ScheduledTask")
run_disable = partial(_switch, "Disable-ScheduledTask")


async def run_unregister(invocation: Invocation) -> None:
    """Remove the tasks that are named or come down the pipeline."""
    area = invocation.node.machine.area(ScheduledTasks)
    for task in await meant(invocation, "Unregister-ScheduledTask"):
        act(invocation, "Unregister-ScheduledTask", partial(area.unregister, task), task.name)
