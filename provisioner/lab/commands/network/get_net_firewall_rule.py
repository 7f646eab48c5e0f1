"""Get-NetFirewallRule: rules of the firewall by name, display name or group."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.firewall_rules import chosen, shown


async def run(invocation: Invocation) -> None:
    """Write the rules; a name that none has is an error."""
    for rule in chosen(invocation, "Get-NetFirewallRule"):
        invocation.output.write(shown(rule))
