"""Get-Command: the commands the node has now."""

from __future__ import annotations

import fnmatch

from provisioner.lab.commands import registry
from provisioner.lab.commands.base import CommandSpec, Invocation
from provisioner.lab.commands.failure import record
from provisioner.lab.machine.area import command_not_found
from provisioner.lab.values import EnumValue, PsObject

_TYPE = "Microsoft.PowerShell.Commands.GetCommandCommand"
_WILDCARDS = frozenset("*?[")


async def run(invocation: Invocation) -> None:
    """Write one CmdletInfo per command; a plain name that is not there is an error."""
    modules = [str(name).casefold() for name in invocation.parameters.get("Module") or ["*"]]
    found = [
        spec
        for spec in registry.available(invocation.node, invocation.visible)
        if any(fnmatch.fnmatchcase(spec.module.casefold(), module) for module in modules)
    ]
    for pattern in invocation.parameters.get("Name") or ["*"]:
        wanted = str(pattern)
        matches = [spec for spec in found if fnmatch.fnmatchcase(spec.name.casefold(), wanted.casefold())]
        for spec in matches:
            invocation.output.write(_info(spec))
        if not matches and not _WILDCARDS & set(wanted):
            invocation.output.error(record(command_not_found(wanted), _TYPE, "Get-Command", wanted))


def _info(spec: CommandSpec) -> PsObject:
    kind = "CmdletInfo" if spec.type_name else "FunctionInfo"
    command_type = EnumValue(
        "System.Management.Automation.CommandTypes",
        "Cmdlet" if spec.type_name else "Function",
        8 if spec.type_name else 2,
    )
    return PsObject(
        (
            f"System.Management.Automation.{kind}",
            "System.Management.Automation.CommandInfo",
            "System.Object",
        ),
        {"Name": spec.name, "CommandType": command_type, "ModuleName": spec.module, "Source": spec.module},
        text=spec.name,
    )
