"""Stop-Service: stop services, with -Force also those that depend on them."""

from __future__ import annotations

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.basics.service_objects import chosen, service_object
from provisioner.lab.machine.area import MachineError

TYPE = "Microsoft.PowerShell.Commands.StopServiceCommand"


async def run(invocation: Invocation) -> None:
    """Stop each service."""
    services = invocation.node.machine.services
    async for service in chosen(invocation, TYPE, "Stop-Service"):
        try:
            services.stop(service.name, force=bool(invocation.parameters.get("Force")))
        except MachineError as error:
            invocation.output.error(failure.record(error, TYPE, "Stop-Service", service.name))
            continue
        if invocation.parameters.get("PassThru"):
            invocation.output.write(service_object(services.find(service.name) or service, invocation))
