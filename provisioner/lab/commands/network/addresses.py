"""IP addresses, routes and interfaces as commands show and choose them."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.network.ip import LOOPBACK, LOOPBACK_INDEX, Ip, IpAddress, Route
from provisioner.lab.values import EnumValue, PsObject, UInt8, UInt16, UInt32

ADDRESS: Final = "MSFT_NetIPAddress"
ROUTE: Final = "MSFT_NetRoute"
FAMILIES: Final = {"IPv4": 2, "IPv6": 23}
_GENERATED: Final = "Microsoft.PowerShell.Cmdletization.GeneratedTypes"
_ORIGINS: Final = {"WellKnown": 2, "Manual": 1, "Dhcp": 3}
_PREFERRED: Final = 4


def index_of(invocation: Invocation, alias: str) -> int:
    """Give the index of an interface."""
    if alias == LOOPBACK:
        return LOOPBACK_INDEX
    network = invocation.node.machine.network
    adapter = network.find(alias)
    return network.index_of(adapter) if adapter else 0


def alias_of(invocation: Invocation) -> str | None:
    """Give the interface that -InterfaceAlias or -InterfaceIndex names; None when neither is given."""
    alias = texts(invocation.parameters.get("InterfaceAlias"))
    if alias:
        return alias[0]
    index = texts(invocation.parameters.get("InterfaceIndex"))
    if not index:
        return None
    adapter = invocation.node.machine.network.numbered(int(index[0]))
    return adapter.name if adapter else index[0]


def family_value(family: str, noun: str) -> EnumValue:
    """Give a family as the enumeration of a noun (NetIPAddress, NetRoute)."""
    return EnumValue(f"{_GENERATED}.{noun}.AddressFamily", family, FAMILIES[family])


def shown_address(invocation: Invocation, alias: str, item: IpAddress) -> PsObject:
    """Make the object of an address."""
    is_ipv4 = item.family == "IPv4"
    index = UInt32(index_of(invocation, alias))
    origin = EnumValue(f"{_GENERATED}.NetIPAddress.PrefixOrigin", item.origin, _ORIGINS[item.origin])
    return instance(
        ADDRESS,
        {
            "InterfaceAlias": alias,
            "InterfaceIndex": index,
            "IPAddress": item.text,
            "IPv4Address": item.text if is_ipv4 else None,
            "IPv6Address": None if is_ipv4 else item.text,
            "PrefixLength": UInt8(item.prefix),
            "SkipAsSource": item.skip_as_source,
        },
        {
            "ifIndex": index,
            "AddressFamily": family_value(item.family, "NetIPAddress"),
            "PrefixOrigin": origin,
            "SuffixOrigin": EnumValue(
                f"{_GENERATED}.NetIPAddress.SuffixOrigin", item.origin, _ORIGINS[item.origin]
            ),
            "AddressState": EnumValue(f"{_GENERATED}.NetIPAddress.AddressState", "Preferred", _PREFERRED),
        },
        key=item.text,
    )


def chosen_addresses(invocation: Invocation, cmdlet: str) -> list[tuple[str, IpAddress]]:
    """Give the addresses that the parameters choose."""
    return query(
        invocation,
        cmdlet,
        ADDRESS,
        invocation.node.machine.area(Ip).addresses(),
        {
            "IPAddress": lambda row: row[1].text,
            "InterfaceAlias": lambda row: row[0],
            "InterfaceIndex": lambda row: index_of(invocation, row[0]),
            "AddressFamily": lambda row: row[1].family,
            "PrefixLength": lambda row: row[1].prefix,
            "PrefixOrigin": lambda row: row[1].origin,
        },
    )


def shown_route(invocation: Invocation, alias: str, item: Route) -> PsObject:
    """Make the object of a route."""
    index = UInt32(index_of(invocation, alias))
    interface = invocation.node.machine.area(Ip).interface(alias, item.family)
    return instance(
        ROUTE,
        {
            "DestinationPrefix": item.destination,
            "InterfaceAlias": alias,
            "InterfaceIndex": index,
            "NextHop": item.next_hop,
            "RouteMetric": UInt16(item.metric),
        },
        {
            "ifIndex": index,
            "AddressFamily": family_value(item.family, "NetRoute"),
            "InterfaceMetric": UInt32(interface.metric),
        },
        key=item.destination,
    )


def chosen_routes(invocation: Invocation, cmdlet: str) -> list[tuple[str, Route]]:
    """Give the routes that the parameters choose."""
    return query(
        invocation,
        cmdlet,
        ROUTE,
        invocation.node.machine.area(Ip).routes(),
        {
            "DestinationPrefix": lambda row: row[1].destination,
            "InterfaceAlias": lambda row: row[0],
            "InterfaceIndex": lambda row: index_of(invocation, row[0]),
            "AddressFamily": lambda row: row[1].family,
            "NextHop": lambda row: row[1].next_hop,
        },
    )
