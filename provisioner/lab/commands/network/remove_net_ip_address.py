"""Remove-NetIPAddress: take addresses from adapters."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act, piped, value_of
from provisioner.lab.commands.network.addresses import chosen_addresses
from provisioner.lab.machine.network.ip import Ip

_CMDLET = "Remove-NetIPAddress"
_OWN = {"IPAddress", "InterfaceAlias", "InterfaceIndex", "AddressFamily", "PrefixLength"}


async def run(invocation: Invocation) -> None:
    """Remove what the parameters or the pipeline name."""
    ip = invocation.node.machine.area(Ip)
    if _OWN & invocation.parameters.keys():
        rows = [(alias, item.text) for alias, item in chosen_addresses(invocation, _CMDLET)]
    else:
        objects = await piped(invocation)
        rows = [(str(value_of(item, "InterfaceAlias")), str(value_of(item, "IPAddress"))) for item in objects]
    for alias, text in rows:
        if not act(invocation, _CMDLET, partial(ip.remove, alias, text), text):
            return
