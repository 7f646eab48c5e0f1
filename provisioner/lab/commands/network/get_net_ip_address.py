"""Get-NetIPAddress: the addresses of the machine and the adapters they are on.

Below an external switch an adapter has none: they are on the host's port ``vEthernet (NAME)``, and without such a
port they are gone.
"""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.addresses import chosen_addresses, shown_address


async def run(invocation: Invocation) -> None:
    """Write the addresses; one that nothing has is an error."""
    for alias, item in chosen_addresses(invocation, "Get-NetIPAddress"):
        invocation.output.write(shown_address(invocation, alias, item))
