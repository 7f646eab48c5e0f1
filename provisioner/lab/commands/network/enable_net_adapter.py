"""Enable-NetAdapter: switch adapters on."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.adapters import each


async def run(invocation: Invocation) -> None:
    """Set the state; the lab keeps the connection it is asked over."""
    network = invocation.node.machine.network
    await each(invocation, "Enable-NetAdapter", lambda adapter: network.change(adapter.name, status="Up"))
