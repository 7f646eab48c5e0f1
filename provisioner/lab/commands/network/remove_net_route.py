"""Remove-NetRoute: remove routes."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act, piped, value_of
from provisioner.lab.commands.network.addresses import chosen_routes
from provisioner.lab.machine.network.ip import Ip

_CMDLET = "Remove-NetRoute"
_OWN = {"DestinationPrefix", "InterfaceAlias", "InterfaceIndex", "NextHop", "AddressFamily"}


async def run(invocation: Invocation) -> None:
    """Remove what the parameters or the pipeline name."""
    ip = invocation.node.machine.area(Ip)
    if _OWN & invocation.parameters.keys():
        rows = [
            (alias, item.destination, item.next_hop) for alias, item in chosen_routes(invocation, _CMDLET)
        ]
    else:
        names = ("InterfaceAlias", "DestinationPrefix", "NextHop")
        rows = [
            (str(value_of(item, names[0])), str(value_of(item, names[1])), str(value_of(item, names[2])))
            for item in await piped(invocation)
        ]
    for row in rows:
        if not act(invocation, _CMDLET, partial(ip.remove_route, *row), row[1]):
            return
