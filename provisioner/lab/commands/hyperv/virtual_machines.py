"""New-VM, Start-VM, Stop-VM and Remove-VM."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.commands.hyperv.get_vm import vm_object
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.hyperv import VirtualMachine
from provisioner.lab.values import PsObject

_CMDLETS: Final = "Microsoft.HyperV.PowerShell.Commands."
_EXCEPTION: Final = "Microsoft.HyperV.PowerShell.VirtualizationException"


async def new(invocation: Invocation) -> None:
    """Make a machine that is off; several may share a name."""
    machine, given = invocation.node.machine, invocation.parameters
    with reporting(invocation, "New-VM", _CMDLETS + "NewVM", given.get("Name")):
        machine.ledger.attempt("New-VM")
        switch = str(given.get("SwitchName") or "")
        if switch:
            machine.hyperv.switches(switch)
        machine.hyperv.demand_active()
        made = VirtualMachine(
            str(given.get("Name") or "New Virtual Machine"), str(uuid.uuid4()), "Off", switch
        )
        machine.hyperv.adopt(machines=[made])
        machine.ledger.changed("hyperv", f"machine {made.name} made")
        invocation.output.write(vm_object(made, machine.computer_name))


async def start(invocation: Invocation) -> None:
    """Start machines."""
    await _change(invocation, "Start-VM", "StartVM", "Running", ("Off", "Saved", "Paused"))


async def stop(invocation: Invocation) -> None:
    """Stop machines."""
    await _change(invocation, "Stop-VM", "StopVM", "Off", ("Running", "Paused", "Saved"))


async def remove(invocation: Invocation) -> None:
    """Remove machines that are off."""
    hyperv = invocation.node.machine.hyperv
    for name in await _names(invocation):
        with reporting(invocation, "Remove-VM", _CMDLETS + "RemoveVM", name):
            invocation.node.machine.ledger.attempt("Remove-VM")
            for item in _found(hyperv.machines(), name):
                if item.state not in {"Off", "Saved"}:
                    raise MachineError(
                        f"The operation cannot be performed while the virtual machine '{name}' is in its current "
                        "state.",
                        "InvalidState",
                        "InvalidOperation",
                        _EXCEPTION,
                    )
                hyperv.remove_machine(item)


async def _change(invocation: Invocation, cmdlet: str, kind: str, state: str, froms: Iterable[str]) -> None:
    machine = invocation.node.machine
    for name in await _names(invocation):
        with reporting(invocation, cmdlet, _CMDLETS + kind, name):
            machine.ledger.attempt(cmdlet)
            for item in _found(machine.hyperv.machines(), name):
                if item.state in froms:
                    machine.hyperv.set_machine_state(item.name, state)
                else:
                    invocation.output.warning("The virtual machine is already in the specified state.")


async def _names(invocation: Invocation) -> list[str]:
    if "Name" in invocation.parameters:
        return texts(invocation.parameters["Name"])
    return [str(item.properties["Name"]) async for item in invocation.input if isinstance(item, PsObject)]


def _found(machines: list[VirtualMachine], name: str) -> list[VirtualMachine]:
    found = [item for item in machines if item.name.casefold() == name.casefold()]
    if not found:
        raise MachineError(
            f'Hyper-V was unable to find a virtual machine with name "{name}".',
            "InvalidParameter",
            "InvalidArgument",
            _EXCEPTION,
        )
    return found
