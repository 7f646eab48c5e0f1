"""New-NetRoute: add a route."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.network.addresses import alias_of, shown_route
from provisioner.lab.machine.network.ip import Ip, family_of, spelled

_ON_LINK = {"IPv4": "0.0.0.0", "IPv6": "::"}  # noqa: S104 - a next hop, nothing listens
_METRIC = 256


async def run(invocation: Invocation) -> None:
    """Write the new route."""
    parameters = invocation.parameters
    ip = invocation.node.machine.area(Ip)
    alias, destination = alias_of(invocation) or "", str(parameters["DestinationPrefix"])
    hop = str(parameters.get("NextHop") or _ON_LINK[family_of(destination)])
    metric = int(parameters.get("RouteMetric", _METRIC))
    if act(
        invocation, "New-NetRoute", lambda: ip.add_route(alias, destination, hop, metric), "MSFT_NetRoute"
    ):
        for name, item in ip.routes(alias):
            if (item.destination, item.next_hop) == (destination, spelled(hop)):
                invocation.output.write(shown_route(invocation, name, item))
