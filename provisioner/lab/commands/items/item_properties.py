"""New-, Set- and Remove-ItemProperty: values of registry keys, and the attributes of files."""

from __future__ import annotations

from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.items import paths
from provisioner.lab.commands.items.objects import provider_notes
from provisioner.lab.commands.items.writing import text_of
from provisioner.lab.values import ErrorRecord, Int64, PsObject

_NAMESPACE = "Microsoft.PowerShell.Commands."
_CUSTOM = ("System.Management.Automation.PSCustomObject", "System.Object")
_KINDS = ("String", "ExpandString", "Binary", "DWord", "MultiString", "QWord")


async def new(invocation: Invocation) -> None:
    """Make a value and write it; one of that name is an error without -Force."""
    type_name = f"{_NAMESPACE}NewItemPropertyCommand"
    registry = invocation.node.machine.registry
    name = invocation.parameters["Name"]
    async for item in paths.items(invocation, type_name, "New-ItemProperty"):
        if not isinstance(item, paths.RegistryKey):
            invocation.output.error(_no_keys("New-ItemProperty", type_name, item.path))
            continue
        there = name.casefold() in (value.casefold() for value in registry.values(item.path))
        if there and not invocation.parameters.get("Force"):
            invocation.output.error(
                ErrorRecord(
                    "The property already exists.",
                    f"System.IO.IOException,{type_name}",
                    "WriteError",
                    "System.IO.IOException",
                    "New-ItemProperty",
                    item.full_name,
                )
            )
            continue
        if not invocation.parameters.get("WhatIf"):
            _set(item, name, invocation)
            invocation.output.write(_shown(item, name, invocation))


async def set_(invocation: Invocation) -> None:
    """Write a value, whether or not there is one of that name."""
    type_name = f"{_NAMESPACE}SetItemPropertyCommand"
    name = invocation.parameters["Name"]
    async for item in paths.items(invocation, type_name, "Set-ItemProperty"):
        if invocation.parameters.get("WhatIf"):
            continue
        if isinstance(item, paths.RegistryKey):
            _set(item, name, invocation)
            if invocation.parameters.get("PassThru"):
                invocation.output.write(_shown(item, name, invocation))
        elif name.casefold() in {"isreadonly", "attributes"}:
            value = invocation.parameters.get("Value")
            if name.casefold() == "attributes":
                attributes = text_of(value)
            else:
                kept = [flag for flag in item.attributes.split(", ") if flag not in {"ReadOnly", ""}]
                attributes = ", ".join([*(["ReadOnly"] if value is True else []), *kept])
            invocation.node.machine.files.set_attributes(item.path, attributes)
        else:
            invocation.output.error(_missing(name, item.path, type_name, "Set-ItemProperty"))


async def remove(invocation: Invocation) -> None:
    """Remove values; a name that is not there is an error."""
    type_name = f"{_NAMESPACE}RemoveItemPropertyCommand"
    registry = invocation.node.machine.registry
    async for item in paths.items(invocation, type_name, "Remove-ItemProperty"):
        if not isinstance(item, paths.RegistryKey):
            invocation.output.error(_no_keys("Remove-ItemProperty", type_name, item.path))
            continue
        for name in texts(invocation.parameters["Name"]):
            if name.casefold() not in (value.casefold() for value in registry.values(item.path)):
                invocation.output.error(_missing(name, item.full_name, type_name, "Remove-ItemProperty"))
            elif not invocation.parameters.get("WhatIf"):
                registry.delete_value(item.path, name)


def _set(item: paths.RegistryKey, name: str, invocation: Invocation) -> None:
    registry = invocation.node.machine.registry
    value = invocation.parameters.get("Value")
    asked = invocation.parameters.get("PropertyType") or invocation.parameters.get("Type")
    there = {found.name.casefold(): found.kind for found in registry.values(item.path).values()}
    wanted = text_of(asked) if asked is not None else there.get(name.casefold(), "")
    kind = next((known for known in _KINDS if known.casefold() == wanted.casefold()), "") or _kind_of(value)
    registry.set(item.path, "" if name.casefold() == "(default)" else name, _data(value, kind), kind)


def _kind_of(value: Any) -> str:
    match value:
        case bool():
            return "String"
        case Int64():
            return "QWord"
        case int():
            return "DWord"
        case bytes():
            return "Binary"
        case list():
            return "MultiString"
        case _:
            return "String"


def _data(value: Any, kind: str) -> Any:
    if kind in {"DWord", "QWord"}:
        return int(value or 0)
    if kind == "MultiString":
        return [text_of(item) for item in (value if isinstance(value, list) else [value])]
    if kind == "Binary":
        return bytes(value or b"").hex() if isinstance(value, bytes | list | None) else text_of(value)
    return text_of(value)


def _shown(item: paths.RegistryKey, name: str, invocation: Invocation) -> PsObject:
    value = invocation.node.machine.registry.get(item.path, name)
    return PsObject(_CUSTOM, extended={name: value, **provider_notes(item)})


def _missing(name: str, path: str, type_name: str, activity: str) -> ErrorRecord:
    return ErrorRecord(
        f"Property {name} does not exist at path {path}.",
        f"System.Management.Automation.PSArgumentException,{type_name}",
        "InvalidArgument",
        "System.Management.Automation.PSArgumentException",
        activity,
        name,
    )


def _no_keys(activity: str, type_name: str, path: str) -> ErrorRecord:
    return ErrorRecord(
        "Cannot use interface. The IDynamicPropertyCmdletProvider interface is not implemented by this provider.",
        f"NotSupported,{type_name}",
        "NotImplemented",
        "System.Management.Automation.PSNotSupportedException",
        activity,
        path,
    )
