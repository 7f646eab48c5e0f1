"""New-NetIPAddress: give an adapter an address, and with -DefaultGateway a default route."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.network.addresses import alias_of, shown_address
from provisioner.lab.machine.network.ip import DEFAULT_ROUTES, Ip, family_of, spelled

_CMDLET = "New-NetIPAddress"
_WHOLE = {"IPv4": 32, "IPv6": 128}


async def run(invocation: Invocation) -> None:
    """Write the new address."""
    parameters = invocation.parameters
    ip = invocation.node.machine.area(Ip)
    alias, address = alias_of(invocation) or "", str(parameters["IPAddress"])
    family = family_of(address)
    prefix = int(parameters.get("PrefixLength", _WHOLE[family]))
    if not act(invocation, _CMDLET, lambda: ip.add(alias, address, prefix), "MSFT_NetIPAddress"):
        return
    gateway = parameters.get("DefaultGateway")
    if gateway:
        act(invocation, _CMDLET, lambda: ip.add_route(alias, DEFAULT_ROUTES[family], str(gateway)))
    for name, item in ip.addresses(alias):
        if item.text == spelled(address):
            invocation.output.write(shown_address(invocation, name, item))
