"""New-Service: register a service."""

from __future__ import annotations

from typing import Any

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.basics.service_objects import service_object, start_mode, user_name
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.services import Service

TYPE = "Microsoft.PowerShell.Commands.NewServiceCommand"


async def run(invocation: Invocation) -> None:
    """Register the service and write it; a name that is taken is an error."""
    parameters: dict[str, Any] = dict(invocation.parameters)
    if parameters.get("WhatIf"):
        return
    name = parameters["Name"]
    service = Service(
        name,
        parameters.get("DisplayName") or name,
        parameters["BinaryPathName"],
        start_mode(parameters.get("StartupType") or "Automatic"),
        user_name(parameters.get("Credential")) or "LocalSystem",
        dependencies=tuple(failure.texts(parameters.get("DependsOn"))),
        description=parameters.get("Description"),
    )
    try:
        invocation.node.machine.services.add(service)
    except MachineError as error:
        invocation.output.error(failure.record(error, TYPE, "New-Service", name))
        return
    invocation.output.write(service_object(service, invocation))
