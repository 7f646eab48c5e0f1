"""Remove-NetFirewallRule: remove rules of the firewall."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.network.firewall_rules import meant
from provisioner.lab.machine.network.firewall import Firewall

_CMDLET = "Remove-NetFirewallRule"


async def run(invocation: Invocation) -> None:
    """Remove what the parameters or the pipeline name."""
    firewall = invocation.node.machine.area(Firewall)
    for rule in await meant(invocation, _CMDLET):
        act(invocation, _CMDLET, partial(firewall.remove, rule["Name"]), rule["Name"])
