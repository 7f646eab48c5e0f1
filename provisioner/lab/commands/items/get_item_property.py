"""Get-ItemProperty: values of registry keys, or the properties of files and folders."""

from __future__ import annotations

import fnmatch
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.items import paths
from provisioner.lab.commands.items.objects import item_object, provider_notes
from provisioner.lab.machine.ground.registry import Value
from provisioner.lab.values import ErrorRecord, Int64, PsObject

TYPE = "Microsoft.PowerShell.Commands.GetItemPropertyCommand"
_CUSTOM = ("System.Management.Automation.PSCustomObject", "System.Object")


async def run(invocation: Invocation) -> None:
    """Write one object for each item with the values asked for; a missing value is an error."""
    machine = invocation.node.machine
    names = texts(invocation.parameters.get("Name"))
    async for item in paths.items(invocation, TYPE, "Get-ItemProperty"):
        if isinstance(item, paths.RegistryKey):
            values = {name: _data(value) for name, value in machine.registry.values(item.path).items()}
            shown = item.full_name
        else:
            values = item_object(item, machine).properties
            shown = item.path
        chosen = _choose(values, names, shown, invocation)
        if chosen or not names:
            invocation.output.write(PsObject(_CUSTOM, extended={**chosen, **provider_notes(item)}))


def _choose(values: dict[str, Any], names: list[str], shown: str, invocation: Invocation) -> dict[str, Any]:
    if not names:
        return dict(values)
    chosen: dict[str, Any] = {}
    for name in names:
        found = [key for key in values if fnmatch.fnmatchcase(key.casefold(), name.casefold())]
        chosen.update((key, values[key]) for key in found)
        if not found and not paths.has_wildcard(name):
            invocation.output.error(
                ErrorRecord(
                    f"Property {name} does not exist at path {shown}.",
                    f"System.Management.Automation.PSArgumentException,{TYPE}",
                    "InvalidArgument",
                    "System.Management.Automation.PSArgumentException",
                    "Get-ItemProperty",
                    name,
                )
            )
    return chosen


def _data(value: Value) -> Any:
    """Give DWORDs as Int32 (those above its range turn negative) and QWORDs as Int64, as .NET reads them."""
    if value.kind == "DWord":
        return value.data - 2**32 if value.data >= 2**31 else value.data
    return Int64(value.data) if value.kind == "QWord" else value.data
