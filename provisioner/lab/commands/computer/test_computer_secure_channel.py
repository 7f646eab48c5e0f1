"""Test-ComputerSecureChannel: whether the domain still knows the machine."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.values import ErrorRecord, TerminatingError


async def run(invocation: Invocation) -> None:
    """Write a Boolean; a machine of a workgroup has no channel.

    Raises:
        TerminatingError: the machine is in no domain.
    """
    identity = invocation.node.machine.area(Identity)
    if not identity.domain:
        raise TerminatingError(
            ErrorRecord(
                "Cannot verify the secure channel for the local computer. Operation failed with the following "
                "exception: The specified domain either does not exist or could not be contacted.",
                "FailToTestSecureChannel,Microsoft.PowerShell.Commands.TestComputerSecureChannelCommand",
                "OperationStopped",
                "System.InvalidOperationException",
                "Test-ComputerSecureChannel",
                identity.name,
            )
        )
    try:
        identity.directory.reach(identity.domain)
    except MachineError:
        invocation.output.write(False)
        return
    account = identity.account
    invocation.output.write(account is not None and account.enabled)
