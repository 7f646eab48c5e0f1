"""Get-VM: virtual machines by name or wildcard."""

from __future__ import annotations

import fnmatch
import uuid

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.hyperv import VirtualMachine
from provisioner.lab.values import EnumValue, ErrorRecord, PsObject

TYPE = "Microsoft.HyperV.PowerShell.Commands.GetVM"
_NAMESPACE = "Microsoft.HyperV.PowerShell."
_TYPES = (_NAMESPACE + "VirtualMachine", _NAMESPACE + "VirtualizationObject", "System.Object")
_STATES = {"Running": 2, "Off": 3, "Saved": 6, "Paused": 9}


async def run(invocation: Invocation) -> None:
    """Write the machines; a name without a machine is an error."""
    machine = invocation.node.machine
    try:
        found = machine.hyperv.machines()
    except MachineError as error:
        invocation.output.error(failure.record(error, TYPE, "Get-VM"))
        return
    for name in failure.texts(invocation.parameters.get("Name")) or ["*"]:
        chosen = [item for item in found if fnmatch.fnmatchcase(item.name.casefold(), name.casefold())]
        for item in chosen:
            invocation.output.write(vm_object(item, machine.computer_name))
        if not chosen and not any(char in name for char in "*?["):
            invocation.output.error(
                ErrorRecord(
                    f'Hyper-V was unable to find a virtual machine with name "{name}".',
                    f"InvalidParameter,{TYPE}",
                    "InvalidArgument",
                    _NAMESPACE + "VirtualizationException",
                    "Get-VM",
                    name,
                )
            )


def vm_object(item: VirtualMachine, computer_name: str) -> PsObject:
    """Give a machine as the Hyper-V module shows it."""
    identity = uuid.UUID(item.id)
    return PsObject(
        _TYPES,
        {
            "VMName": item.name,
            "VMId": identity,
            "Id": identity,
            "Name": item.name,
            "State": EnumValue(_NAMESPACE + "VMState", item.state, _STATES[item.state]),
            "Status": "Operating normally",
            "ComputerName": computer_name,
            "Generation": 2,
            "IsDeleted": False,
        },
        text=f"VirtualMachine (Name = '{item.name}') [Id = '{item.id}']",
    )
