"""Rename-NetAdapter: give an adapter another name."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.adapters import each


async def run(invocation: Invocation) -> None:
    """Rename; a name that another adapter has is an error."""
    network = invocation.node.machine.network
    new = str(invocation.parameters["NewName"])
    await each(invocation, "Rename-NetAdapter", lambda adapter: network.rename(adapter.name, new))
