"""Set-Service: change texts, start mode and state of services."""

from __future__ import annotations

from typing import Any

from provisioner.lab.commands import failure
from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.basics.service_objects import chosen, service_object, start_mode
from provisioner.lab.machine.area import MachineError

TYPE = "Microsoft.PowerShell.Commands.SetServiceCommand"


async def run(invocation: Invocation) -> None:
    """Change each service; its state last."""
    parameters = invocation.parameters
    services = invocation.node.machine.services
    # What is -DisplayName elsewhere is a new text here, not a way to find a service.
    found = {name: value for name, value in parameters.items() if name != "DisplayName"}
    searching = Invocation(invocation.node, found, invocation.input, invocation.output, invocation.user)
    async for service in chosen(searching, TYPE, "Set-Service"):
        if parameters.get("WhatIf"):
            continue
        try:
            services.attempt("Set-Service")
            fields = _fields(parameters)
            if fields:
                services.change(service.name, **fields)
            status = str(getattr(parameters.get("Status"), "text", parameters.get("Status") or "")).casefold()
            if status == "running":
                services.start(service.name)
            elif status == "stopped":
                services.stop(service.name)
        except MachineError as error:
            invocation.output.error(failure.record(error, TYPE, "Set-Service", service.name))
            continue
        if parameters.get("PassThru"):
            invocation.output.write(service_object(services.find(service.name) or service, invocation))


def _fields(parameters: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if "DisplayName" in parameters:
        fields["display_name"] = parameters["DisplayName"]
    if "Description" in parameters:
        fields["description"] = parameters["Description"]
    if parameters.get("StartupType") is not None:
        fields["start_mode"] = start_mode(parameters["StartupType"])
    return fields
