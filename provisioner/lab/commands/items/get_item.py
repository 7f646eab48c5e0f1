"""Get-Item: files, folders and registry keys by path."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items.objects import item_object
from provisioner.lab.commands.items.paths import items

TYPE = "Microsoft.PowerShell.Commands.GetItemCommand"


async def run(invocation: Invocation) -> None:
    """Write the items."""
    async for item in items(invocation, TYPE, "Get-Item"):
        invocation.output.write(item_object(item, invocation.node.machine))
