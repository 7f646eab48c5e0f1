"""Remove-VMSwitch: remove virtual switches by name or from the pipeline."""

from __future__ import annotations

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import PsObject

TYPE = "Microsoft.HyperV.PowerShell.Commands.RemoveVMSwitch"


async def run(invocation: Invocation) -> None:
    """Remove every switch of each name."""
    hyperv = invocation.node.machine.hyperv
    names = failure.texts(invocation.parameters.get("Name"))
    if "Name" not in invocation.parameters:
        names = [
            str(item.properties["Name"]) async for item in invocation.input if isinstance(item, PsObject)
        ]
    for name in names:
        try:
            for switch in hyperv.switches(name):
                hyperv.remove_switch(switch)
        except MachineError as error:
            invocation.output.error(failure.record(error, TYPE, "Remove-VMSwitch", name))
