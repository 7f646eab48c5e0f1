"""Set-DnsClientServerAddress: set the name servers of an interface, or go back to those of DHCP."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.network.addresses import alias_of
from provisioner.lab.machine.network.ip import Ip


async def run(invocation: Invocation) -> None:
    """Set or reset; the reset is for both families."""
    ip = invocation.node.machine.area(Ip)
    servers = (
        []
        if invocation.parameters.get("ResetServerAddresses")
        else texts(invocation.parameters.get("ServerAddresses"))
    )
    alias = alias_of(invocation) or ""
    act(invocation, "Set-DnsClientServerAddress", lambda: ip.set_dns_servers(alias, servers), alias)
