"""New-Item: make files, folders and registry keys."""

from __future__ import annotations

import ntpath

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.items import paths
from provisioner.lab.commands.items.failures import access_denied, no_path
from provisioner.lab.commands.items.objects import item_object
from provisioner.lab.commands.items.writing import encoded, text_of
from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import ErrorRecord

TYPE = "Microsoft.PowerShell.Commands.NewItemCommand"
_FOLDERS = {"directory", "container"}


async def run(invocation: Invocation) -> None:
    """Make each item and write it. What is there already is an error without -Force, but for folders with it."""
    parameters = invocation.parameters
    name = parameters.get("Name")
    for path in texts(parameters.get("Path")) or ["."]:
        target = ntpath.join(path, name) if name else path
        if parameters.get("WhatIf"):
            continue
        if paths.is_registry(target):
            _key(target, invocation)
        else:
            _file(target, invocation)


def _key(path: str, invocation: Invocation) -> None:
    registry = invocation.node.machine.registry
    key = paths.registry_path(path)
    above = key.rpartition("\\")[0]
    if registry.has_key(key) and not invocation.parameters.get("Force"):
        invocation.output.error(
            ErrorRecord(
                "A key in this path already exists.",
                f"System.IO.IOException,{TYPE}",
                "ResourceExists",
                "System.IO.IOException",
                "New-Item",
                path,
            )
        )
        return
    if not registry.has_key(above) and not invocation.parameters.get("Force"):
        invocation.output.error(
            ErrorRecord(
                "The registry key at the specified path does not exist.",
                f"System.ArgumentException,{TYPE}",
                "InvalidArgument",
                "System.ArgumentException",
                "New-Item",
                path,
            )
        )
        return
    registry.make_key(key)
    value = invocation.parameters.get("Value")
    if value is not None:
        registry.set(key, "", text_of(value))
    invocation.output.write(item_object(paths.RegistryKey(key), invocation.node.machine))


def _file(path: str, invocation: Invocation) -> None:
    files = invocation.node.machine.files
    full = paths.full(path)
    kind = str(invocation.parameters.get("ItemType") or "File").casefold()
    is_forced = bool(invocation.parameters.get("Force"))
    there = files.find(full)
    try:
        if kind in _FOLDERS:
            if there is not None and not (is_forced and there.is_folder):
                invocation.output.error(
                    _exists(full, "An item with the specified name {} already exists.", "DirectoryExist")
                )
                return
            entry = files.make_folder(full)
        else:
            if there is not None and not is_forced:
                invocation.output.error(_exists(full, "The file '{}' already exists.", "NewItemIOError"))
                return
            if is_forced:
                files.make_folder(ntpath.dirname(full))
            value = invocation.parameters.get("Value")
            entry = files.write(full, encoded(text_of(value), "default") if value is not None else b"")
    except MachineError as error:
        if error.error_id == "DirectoryNotFoundException":
            invocation.output.error(no_path(full, "NewItemIOError", TYPE, "New-Item", "WriteError"))
        else:
            invocation.output.error(access_denied(error, "NewItemIOError", TYPE, "New-Item", full))
        return
    invocation.output.write(item_object(entry, invocation.node.machine))


def _exists(path: str, text: str, error_id: str) -> ErrorRecord:
    is_folder = error_id == "DirectoryExist"
    return ErrorRecord(
        text.format(path),
        f"{error_id},{TYPE}",
        "ResourceExists" if is_folder else "WriteError",
        "System.IO.IOException",
        "New-Item",
        path,
    )
