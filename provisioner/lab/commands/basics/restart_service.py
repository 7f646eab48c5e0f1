"""Restart-Service: stop services and start them again, with -Force also those that depend on them."""

from __future__ import annotations

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.basics.service_objects import chosen, service_object
from provisioner.lab.machine.area import MachineError

TYPE = "Microsoft.PowerShell.Commands.RestartServiceCommand"


async def run(invocation: Invocation) -> None:
    """Restart each service; one that was stopped is started."""
    services = invocation.node.machine.services
    async for service in chosen(invocation, TYPE, "Restart-Service"):
        if invocation.parameters.get("WhatIf"):
            continue
        dependants = [item.name for item in services.dependants(service.name) if item.status == "Running"]
        try:
            services.stop(service.name, force=bool(invocation.parameters.get("Force")))
            services.start(service.name)
            for name in dependants:
                services.start(name)
        except MachineError as error:
            invocation.output.error(failure.record(error, TYPE, "Restart-Service", service.name))
            continue
        if invocation.parameters.get("PassThru"):
            invocation.output.write(service_object(services.find(service.name) or service, invocation))
