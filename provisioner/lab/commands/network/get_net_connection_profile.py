"""Get-NetConnectionProfile: which profile of the firewall counts on a connection."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.network.ip import Ip
from provisioner.lab.values import EnumValue, UInt32

CLASS = "MSFT_NetConnectionProfile"
_ENUM = "Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetConnectionProfile"
_CATEGORIES = {"Public": 0, "Private": 1, "DomainAuthenticated": 2}


async def run(invocation: Invocation) -> None:
    """Write one object for each adapter that has an address."""
    machine = invocation.node.machine
    ip, identity = machine.area(Ip), machine.area(Identity)
    category = "DomainAuthenticated" if identity.active_domain else "Private"
    connected = [item for item in machine.network.adapters if item.status == "Up" and ip.addresses(item.name)]
    readers = {
        "InterfaceAlias": lambda item: item.name,
        "InterfaceIndex": machine.network.index_of,
    }
    for adapter in query(invocation, "Get-NetConnectionProfile", CLASS, connected, readers):
        invocation.output.write(
            instance(
                CLASS,
                {
                    "Name": identity.domain or "Network",
                    "InterfaceAlias": adapter.name,
                    "InterfaceIndex": UInt32(machine.network.index_of(adapter)),
                },
                {
                    "NetworkCategory": EnumValue(f"{_ENUM}.NetworkCategory", category, _CATEGORIES[category]),
                    "IPv4Connectivity": EnumValue(f"{_ENUM}.IPv4Connectivity", "Internet", 4),
                    "IPv6Connectivity": EnumValue(f"{_ENUM}.IPv6Connectivity", "NoTraffic", 1),
                },
                key=adapter.guid,
            )
        )
