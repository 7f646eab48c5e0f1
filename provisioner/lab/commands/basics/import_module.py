"""Import-Module: modules load by themselves, so this only says which of them are not there."""

from __future__ import annotations

from provisioner.lab.commands import registry
from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.powershell import modules
from provisioner.lab.values import ErrorRecord

TYPE = "Microsoft.PowerShell.Commands.ImportModuleCommand"


async def run(invocation: Invocation) -> None:
    """Complain of each module that the node does not have."""
    node = invocation.node
    known = {spec.module.casefold() for spec in registry.available(node)}
    for name in texts(invocation.parameters.get("Name")):
        is_there = name.casefold() in known or bool(modules.versions(node.machine.files, name))
        if is_there and f"Import-Module {name}" not in node.machine.ledger.failing:
            continue
        invocation.output.error(
            ErrorRecord(
                f"The specified module '{name}' was not loaded because no valid module file was found in any "
                "module directory.",
                f"Modules_ModuleNotFound,{TYPE}",
                "ResourceUnavailable",
                "System.IO.FileNotFoundException",
                "Import-Module",
                name,
            )
        )
