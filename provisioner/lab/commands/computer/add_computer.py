"""Add-Computer: join a domain or a workgroup."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.computer.logins import login_of
from provisioner.lab.commands.failure import record
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity, Login
from provisioner.lab.values import ErrorRecord, PsObject, TerminatingError

_TYPE = "Microsoft.PowerShell.Commands.AddComputerCommand"


async def run(invocation: Invocation) -> None:
    """Join; -Restart boots the machine at once."""
    parameters = invocation.parameters
    identity = invocation.node.machine.area(Identity)
    name, new = identity.name, str(parameters.get("NewName", ""))
    try:
        if parameters.get("DomainName"):
            login = login_of(parameters.get("Credential")) or Login("", "")
            identity.join_domain(str(parameters["DomainName"]), login, str(parameters.get("OUPath", "")), new)
        elif parameters.get("WorkgroupName"):
            identity.join_workgroup(str(parameters["WorkgroupName"]), new)
        else:
            raise TerminatingError(_undecided())
    except MachineError as error:
        invocation.output.error(record(error, _TYPE, "Add-Computer", name))
        return
    if parameters.get("PassThru"):
        invocation.output.write(
            PsObject(
                ("Microsoft.PowerShell.Commands.ComputerChangeInfo", "System.Object"),
                {"HasSucceeded": True, "ComputerName": name},
            )
        )
    if parameters.get("Restart"):
        invocation.node.restart()
    else:
        invocation.output.warning(f"The changes will take effect after you restart the computer {name}.")


def _undecided() -> ErrorRecord:
    return ErrorRecord(
        "Cannot process command because of one or more missing mandatory parameters: DomainName.",
        f"MissingMandatoryParameter,{_TYPE}",
        "InvalidArgument",
        "System.Management.Automation.ParameterBindingException",
        "Add-Computer",
    )
