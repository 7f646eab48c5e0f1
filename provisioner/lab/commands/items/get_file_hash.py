"""Get-FileHash: a function of Microsoft.PowerShell.Utility; its objects have the type name of that module."""

from __future__ import annotations

import hashlib

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items import paths
from provisioner.lab.machine.ground.files import Entry
from provisioner.lab.values import ErrorRecord, PsObject

# The function resolves -Path with Resolve-Path, whose error it lets through.
_RESOLVE = "Microsoft.PowerShell.Commands.ResolvePathCommand"
_TYPES = (
    "Microsoft.Powershell.Utility.FileHash",
    "System.Management.Automation.PSCustomObject",
    "System.Object",
)


async def run(invocation: Invocation) -> None:
    """Write algorithm, hash (upper-case digits) and path for each file; folders are passed over."""
    algorithm = str(invocation.parameters.get("Algorithm") or "SHA256").upper()
    for path, is_literal in await paths.given_paths(invocation):
        found = paths.resolve(path, invocation, is_literal=is_literal)
        for item in found:
            if isinstance(item, Entry) and item.content is not None:
                digest = (
                    hashlib.new(algorithm.lower(), item.content, usedforsecurity=False).hexdigest().upper()
                )
                values = {"Algorithm": algorithm, "Hash": digest, "Path": item.path}
                invocation.output.write(PsObject(_TYPES, extended=values))
        if not found and is_literal:
            invocation.output.error(_unreadable(path))
        elif not found and not paths.has_wildcard(path):
            invocation.output.error(paths.not_found(path, invocation, _RESOLVE, "Resolve-Path"))


def _unreadable(path: str) -> ErrorRecord:
    return ErrorRecord(
        f"The file '{path}' cannot be read: Could not find file '{path}'.",
        "FileReadError,Get-FileHash",
        "ReadError",
        "System.IO.FileNotFoundException",
        "Write-Error",
        path,
    )
