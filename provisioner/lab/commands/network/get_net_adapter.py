"""Get-NetAdapter: network adapters by name, InterfaceDescription or index."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.adapters import chosen, shown


async def run(invocation: Invocation) -> None:
    """Write the adapters; a name or description that nothing has is an error."""
    for adapter in chosen(invocation, "Get-NetAdapter"):
        if adapter.is_nic or not invocation.parameters.get("Physical"):
            invocation.output.write(shown(invocation, adapter))
