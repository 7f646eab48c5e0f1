"""Get-NetIPInterface: how IP is set up on every interface."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query
from provisioner.lab.commands.network.addresses import FAMILIES, family_value, index_of
from provisioner.lab.machine.network.ip import Ip
from provisioner.lab.values import EnumValue, UInt32

CLASS = "MSFT_NetIPInterface"
_ENUM = "Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetIPInterface"


async def run(invocation: Invocation) -> None:
    """Write one object for each interface and family."""
    ip = invocation.node.machine.area(Ip)
    adapters = invocation.node.machine.network.adapters
    rows = [(item.name, family) for item in adapters for family in FAMILIES]
    readers = {
        "InterfaceAlias": lambda row: row[0],
        "InterfaceIndex": lambda row: index_of(invocation, row[0]),
        "AddressFamily": lambda row: row[1],
    }
    for name, family in query(invocation, "Get-NetIPInterface", CLASS, rows, readers):
        found = ip.interface(name, family)
        index = UInt32(index_of(invocation, name))
        invocation.output.write(
            instance(
                CLASS,
                {
                    "InterfaceAlias": name,
                    "InterfaceIndex": index,
                    "NlMtu": UInt32(found.mtu),
                    "InterfaceMetric": UInt32(found.metric),
                },
                {
                    "ifIndex": index,
                    "AddressFamily": family_value(family, "NetIPInterface"),
                    "Dhcp": EnumValue(
                        f"{_ENUM}.Dhcp", "Enabled" if found.dhcp else "Disabled", int(found.dhcp)
                    ),
                    "Forwarding": EnumValue(
                        f"{_ENUM}.Forwarding",
                        "Enabled" if found.forwarding else "Disabled",
                        int(found.forwarding),
                    ),
                    "ConnectionState": EnumValue(f"{_ENUM}.ConnectionState", "Connected", 1),
                },
                key=name,
            )
        )
