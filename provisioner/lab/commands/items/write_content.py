"""Set-Content, Add-Content and Out-File: text into files, encoded as Windows PowerShell 5.1 does."""

from __future__ import annotations

import ntpath
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.items import paths
from provisioner.lab.commands.items.failures import access_denied, no_path
from provisioner.lab.commands.items.writing import encoded, encoding_name, text_of
from provisioner.lab.machine.area import MachineError

_NAMESPACE = "Microsoft.PowerShell.Commands."


async def set_content(invocation: Invocation) -> None:
    """Write values as the whole content of files."""
    await _write(invocation, "Set-Content", appends=False)


async def add_content(invocation: Invocation) -> None:
    """Append values to files, which are made when they are missing."""
    await _write(invocation, "Add-Content", appends=True)


async def out_file(invocation: Invocation) -> None:
    """Write objects as texts, by default in UTF-16 with its mark; -Append adds to what is there."""
    parameters = dict(invocation.parameters)
    parameters["Path"] = parameters.pop("FilePath", None) or parameters.get("LiteralPath")
    parameters["Value"] = parameters.pop("InputObject", None)
    parameters.setdefault("Encoding", "unicode")
    inner = Invocation(invocation.node, parameters, invocation.input, invocation.output, invocation.user)
    await _write(inner, "Out-File", appends=bool(parameters.get("Append")))


async def _write(invocation: Invocation, command: str, *, appends: bool) -> None:
    parameters = invocation.parameters
    given = parameters.get("Value")
    values = given if isinstance(given, list) else [given] if given is not None else []
    values = [*values, *[item async for item in invocation.input]]
    encoding = encoding_name(parameters.get("Encoding"), "default")
    if parameters.get("WhatIf"):
        return
    for path in texts(parameters.get("LiteralPath") or parameters.get("Path")):
        _write_one(
            paths.full(path), _content(values, encoding, parameters), invocation, command, appends=appends
        )


def _content(values: list[Any], encoding: str, parameters: Any) -> str | bytes:
    if encoding == "byte":
        return b"".join(item if isinstance(item, bytes) else bytes([int(item)]) for item in values)
    ending = "" if parameters.get("NoNewline") else "\r\n"
    return "".join(text_of(item) + ending for item in values)


def _demand_writable(path: str, invocation: Invocation) -> None:
    entry = invocation.node.machine.files.find(path)
    if entry is not None and "ReadOnly" in entry.attributes:
        raise MachineError(f"Access to the path '{path}' is denied.", "UnauthorizedAccessException", "")


def _write_one(
    path: str, content: str | bytes, invocation: Invocation, command: str, *, appends: bool
) -> None:
    files = invocation.node.machine.files
    type_name = f"{_NAMESPACE}{command.replace('-', '')}Command"
    encoding = encoding_name(invocation.parameters.get("Encoding"), "default")
    try:
        files.attempt(command)
        old = files.read(path) if appends and files.is_file(path) else b""
        if not invocation.parameters.get("Force"):
            _demand_writable(path, invocation)
        data = content if isinstance(content, bytes) else encoded(content, encoding, with_mark=not old)
        files.write(path, old + data)
    except MachineError as error:
        if error.error_id == "DirectoryNotFoundException":
            name = "FileOpenFailure" if command == "Out-File" else "GetContentWriterDirectoryNotFoundError"
            category = "OpenError" if command == "Out-File" else "ObjectNotFound"
            invocation.output.error(no_path(path, name, type_name, command, category))
        else:
            is_denied = error.error_id == "UnauthorizedAccessException"
            name = f"GetContentWriter{'UnauthorizedAccess' if is_denied else 'IO'}Error"
            name = "FileOpenFailure" if command == "Out-File" else name
            invocation.output.error(access_denied(error, name, type_name, command, path))
        return
    if invocation.parameters.get("PassThru"):
        invocation.output.write(ntpath.basename(path))
