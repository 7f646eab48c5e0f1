"""Test-Path: whether something has a path. Never an error, not even for an unknown drive."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items import paths

TYPE = "Microsoft.PowerShell.Commands.TestPathCommand"


async def run(invocation: Invocation) -> None:
    """Write one Boolean for each path; -PathType Leaf and Container ask for the kind too."""
    kind = str(invocation.parameters.get("PathType") or "Any").casefold()
    for path, is_literal in await paths.given_paths(invocation):
        found = paths.resolve(path, invocation, is_literal=is_literal)
        if kind != "any":
            found = [item for item in found if _is_container(item) == (kind == "container")]
        invocation.output.write(bool(found))


def _is_container(item: paths.Item) -> bool:
    return isinstance(item, paths.RegistryKey) or item.is_folder
