"""Copy-Item, Move-Item and Rename-Item for files and folders."""

from __future__ import annotations

import ntpath

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items import paths
from provisioner.lab.commands.items.failures import access_denied, no_path
from provisioner.lab.commands.items.objects import item_object
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.ground.files import Entry, Files
from provisioner.lab.values import ErrorRecord

_NAMESPACE = "Microsoft.PowerShell.Commands."


async def copy(invocation: Invocation) -> None:
    """Copy files, and folders with -Recurse what is in them."""
    await _relocate(invocation, "Copy-Item", removes=False)


async def move(invocation: Invocation) -> None:
    """Move files and folders."""
    await _relocate(invocation, "Move-Item", removes=True)


async def rename(invocation: Invocation) -> None:
    """Give one file or folder another name in its folder."""
    type_name = f"{_NAMESPACE}RenameItemCommand"
    async for item in paths.items(invocation, type_name, "Rename-Item"):
        if not isinstance(item, Entry):
            invocation.output.error(_unsupported(item, "Rename-Item", type_name))
            continue
        target = ntpath.join(ntpath.dirname(item.path), ntpath.basename(invocation.parameters["NewName"]))
        if invocation.node.machine.files.find(target) is not None:
            invocation.output.error(_exists(target, "RenameItemIOError", type_name, "Rename-Item"))
        elif not invocation.parameters.get("WhatIf"):
            _put(item, target, invocation, "Rename-Item", removes=True)


async def _relocate(invocation: Invocation, command: str, *, removes: bool) -> None:
    type_name = f"{_NAMESPACE}{command.replace('-', '')}Command"
    files = invocation.node.machine.files
    async for item in paths.items(invocation, type_name, command):
        if not isinstance(item, Entry):
            invocation.output.error(_unsupported(item, command, type_name))
            continue
        target = paths.full(str(invocation.parameters.get("Destination") or "."))
        if files.is_folder(target):
            target = ntpath.join(target, item.name)
        if removes and files.find(target) is not None and not invocation.parameters.get("Force"):
            invocation.output.error(_exists(target, "MoveFileInfoItemIOError", type_name, command))
        elif not invocation.parameters.get("WhatIf"):
            _put(item, target, invocation, command, removes=removes)


def _put(item: Entry, target: str, invocation: Invocation, command: str, *, removes: bool) -> None:
    files = invocation.node.machine.files
    type_name = f"{_NAMESPACE}{command.replace('-', '')}Command"
    if not files.is_folder(ntpath.dirname(target)):
        plain = command.replace("-", "")
        name = "System.IO.DirectoryNotFoundException" if plain == "CopyItem" else f"{plain}IOError"
        invocation.output.error(no_path(target, name, type_name, command, "WriteError"))
        return
    try:
        _write(item, target, files, is_deep=removes or bool(invocation.parameters.get("Recurse")))
        if removes:
            files.remove(item.path)
    except MachineError as error:
        invocation.output.error(access_denied(error, "CopyError", type_name, command, target))
        return
    made = files.find(target)
    if invocation.parameters.get("PassThru") and made is not None:
        invocation.output.write(item_object(made, invocation.node.machine))


def _write(item: Entry, target: str, files: Files, *, is_deep: bool) -> None:
    """Write an item, and what is below it, in another place; times of files come along."""
    if item.content is not None:
        files.write(target, item.content)
        files.touch(target, item.written)
        return
    files.make_folder(target)
    for child in files.children(item.path) if is_deep else ():
        _write(child, ntpath.join(target, child.name), files, is_deep=True)


def _exists(path: str, error_id: str, type_name: str, command: str) -> ErrorRecord:
    return ErrorRecord(
        "Cannot create a file when that file already exists.",
        f"{error_id},{type_name}",
        "WriteError",
        "System.IO.IOException",
        command,
        path,
    )


def _unsupported(item: paths.RegistryKey, command: str, type_name: str) -> ErrorRecord:
    return ErrorRecord(
        "Provider operation stopped: the lab does not move or copy keys of the registry.",
        f"NotSupported,{type_name}",
        "NotImplemented",
        "System.Management.Automation.PSNotSupportedException",
        command,
        item.full_name,
    )
