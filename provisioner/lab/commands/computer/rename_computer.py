"""Rename-Computer: ask for another name, which counts from the next boot on."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.computer.logins import login_of
from provisioner.lab.commands.failure import record
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.values import PsObject

_TYPE = "Microsoft.PowerShell.Commands.RenameComputerCommand"


async def run(invocation: Invocation) -> None:
    """Rename; -Restart boots the machine at once."""
    parameters = invocation.parameters
    identity = invocation.node.machine.area(Identity)
    new, old = str(parameters["NewName"]), identity.name
    try:
        identity.rename(new, login_of(parameters.get("DomainCredential")))
    except MachineError as error:
        invocation.output.error(record(error, _TYPE, "Rename-Computer", old))
        return
    if parameters.get("PassThru"):
        shown = {"HasSucceeded": True, "NewComputerName": new, "OldComputerName": old}
        invocation.output.write(
            PsObject(("Microsoft.PowerShell.Commands.RenameComputerChangeInfo", "System.Object"), shown)
        )
    if parameters.get("Restart"):
        invocation.node.restart()
    else:
        invocation.output.warning(f"The changes will take effect after you restart the computer {old}.")
