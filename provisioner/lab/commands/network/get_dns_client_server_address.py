"""Get-DnsClientServerAddress: the name servers of every interface, for both families."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query
from provisioner.lab.commands.network.addresses import FAMILIES, index_of
from provisioner.lab.machine.network.ip import LOOPBACK, Ip
from provisioner.lab.values import UInt16, UInt32

CLASS = "MSFT_DNSClientServerAddress"


async def run(invocation: Invocation) -> None:
    """Write one object for each interface and family."""
    ip = invocation.node.machine.area(Ip)
    names = [*(item.name for item in invocation.node.machine.network.adapters), LOOPBACK]
    rows = [(name, family) for name in names for family in FAMILIES]
    readers = {
        "InterfaceAlias": lambda row: row[0],
        "InterfaceIndex": lambda row: index_of(invocation, row[0]),
        "AddressFamily": lambda row: row[1],
    }
    for name, family in query(invocation, "Get-DnsClientServerAddress", CLASS, rows, readers):
        servers = ip.dns_servers(name, family)
        invocation.output.write(
            instance(
                CLASS,
                {
                    "InterfaceAlias": name,
                    "InterfaceIndex": UInt32(index_of(invocation, name)),
                    "AddressFamily": UInt16(FAMILIES[family]),
                    "ServerAddresses": servers,
                },
                {"Address": servers},
                key=name,
            )
        )
