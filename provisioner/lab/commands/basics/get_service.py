"""Get-Service: services by name, wildcard or display name; all of them without a name."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.basics.service_objects import chosen, service_object

TYPE = "Microsoft.PowerShell.Commands.GetServiceCommand"


async def run(invocation: Invocation) -> None:
    """Write the services, sorted by name."""
    if not {"Name", "DisplayName", "InputObject"} & invocation.parameters.keys():
        piped = [item async for item in invocation.input]
        if not piped:
            for service in invocation.node.machine.services:
                invocation.output.write(service_object(service, invocation))
            return
        invocation.parameters = {**invocation.parameters, "InputObject": piped}
    async for service in chosen(invocation, TYPE, "Get-Service"):
        invocation.output.write(service_object(service, invocation))
