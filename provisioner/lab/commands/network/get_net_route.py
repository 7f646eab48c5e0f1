"""Get-NetRoute: the routes of the adapters."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.addresses import chosen_routes, shown_route


async def run(invocation: Invocation) -> None:
    """Write the routes; a destination nobody has is an error."""
    for alias, item in chosen_routes(invocation, "Get-NetRoute"):
        invocation.output.write(shown_route(invocation, alias, item))
