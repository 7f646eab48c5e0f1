"""Start-Service: start services and what they depend on."""

from __future__ import annotations

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.basics.service_objects import chosen, service_object
from provisioner.lab.machine.area import MachineError

TYPE = "Microsoft.PowerShell.Commands.StartServiceCommand"


async def run(invocation: Invocation) -> None:
    """Start each service; one that cannot be started does not keep the others from it."""
    services = invocation.node.machine.services
    async for service in chosen(invocation, TYPE, "Start-Service"):
        try:
            services.start(service.name)
        except MachineError as error:
            invocation.output.error(failure.record(error, TYPE, "Start-Service", service.name))
            continue
        if invocation.parameters.get("PassThru"):
            invocation.output.write(service_object(services.find(service.name) or service, invocation))
