"""Get-NetIPConfiguration: addresses, gateways and name servers of the adapters that are up, in one object each."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import query
from provisioner.lab.commands.network.addresses import index_of, shown_address, shown_route
from provisioner.lab.machine.network.ip import DEFAULT_ROUTES, Ip
from provisioner.lab.values import PsObject, UInt32


async def run(invocation: Invocation) -> None:
    """Write one object for each adapter."""
    machine = invocation.node.machine
    ip = machine.area(Ip)
    up = [item for item in machine.network.adapters if item.status == "Up" or "All" in invocation.parameters]
    readers = {
        "InterfaceAlias": lambda item: item.name,
        "InterfaceIndex": machine.network.index_of,
    }
    for adapter in query(invocation, "Get-NetIPConfiguration", "MSFT_NetIPInterface", up, readers):
        addresses = {
            family: [
                shown_address(invocation, name, item) for name, item in ip.addresses(adapter.name, family)
            ]
            for family in DEFAULT_ROUTES
        }
        gateways = {
            family: [
                shown_route(invocation, name, item)
                for name, item in ip.routes(adapter.name, family)
                if item.destination == default
            ]
            for family, default in DEFAULT_ROUTES.items()
        }
        invocation.output.write(
            PsObject(
                ("NetIPConfiguration", "System.Object"),
                {
                    "ComputerName": machine.computer_name,
                    "InterfaceAlias": adapter.name,
                    "InterfaceIndex": UInt32(index_of(invocation, adapter.name)),
                    "InterfaceDescription": adapter.description,
                    "IPv4Address": addresses["IPv4"],
                    "IPv6Address": addresses["IPv6"],
                    "IPv4DefaultGateway": gateways["IPv4"] or None,
                    "IPv6DefaultGateway": gateways["IPv6"] or None,
                    "DNSServer": [
                        server for family in DEFAULT_ROUTES for server in ip.dns_servers(adapter.name, family)
                    ],
                },
            )
        )
