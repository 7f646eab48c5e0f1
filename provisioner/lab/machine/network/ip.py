"""IP addresses, routes and name servers of the adapters.

Settings belong to an adapter by its GUID, so they follow a rename. Below a virtual switch or a team an adapter's
settings show on what carries it now (``Network.carrier``); without a carrier nothing shows them, and they are
back when the adapter is free again.

The machine keeps the address it is reached at whatever is done to the adapter that shows it: a lab cannot lose
its loop-back.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.addresses import is_ip_address
from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.ground.network import Adapter

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

LOOPBACK: Final = "Loopback Pseudo-Interface 1"
LOOPBACK_INDEX: Final = 1
DEFAULT_ROUTES: Final = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
CIM_EXCEPTION: Final = "Microsoft.Management.Infrastructure.CimException"
_ON_LINK: Final = {"IPv4": "0.0.0.0", "IPv6": "::"}  # noqa: S104 - a next hop, nothing listens
_INTERFACES: Final = r"SYSTEM\CurrentControlSet\Services\{}\Parameters\Interfaces\{}"
_STACKS: Final = {"IPv4": "Tcpip", "IPv6": "Tcpip6"}
_MANAGEMENT_PREFIX: Final = 24
#: Cmdlets that look for objects to change, and the class of these; the others make an object.
_QUERYING: Final = {
    "Set-DnsClientServerAddress": "MSFT_DNSClientServerAddress",
    "Set-NetIPInterface": "MSFT_NetIPInterface",
}


def family_of(address: str) -> str:
    """Give the AddressFamily of an address."""
    return "IPv6" if ":" in address else "IPv4"


def spelled(address: str) -> str:
    """Give an address as Windows shows it; what is no address stays as it is."""
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return address


@dataclass(frozen=True, slots=True)
class IpAddress:
    """One address. ``guid`` is the adapter it was set on; ``origin``: Manual, Dhcp or WellKnown."""

    text: str
    prefix: int
    guid: str
    origin: str = "Manual"
    skip_as_source: bool = False

    @property
    def family(self) -> str:
        """IPv4 or IPv6."""
        return family_of(self.text)


@dataclass(frozen=True, slots=True)
class Route:
    """One route; ``next_hop`` 0.0.0.0 or :: means that the destination is on the link."""

    destination: str
    next_hop: str
    guid: str
    metric: int = 256

    @property
    def family(self) -> str:
        """IPv4 or IPv6."""
        return family_of(self.destination)


@dataclass(frozen=True, slots=True)
class Interface:
    """How IP is set up on one adapter, for one family."""

    dhcp: bool = False
    mtu: int = 1500
    metric: int = 15
    automatic_metric: bool = True
    forwarding: bool = False


@dataclass(slots=True)
class _State:
    addresses: list[IpAddress] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    interfaces: dict[str, Interface] = field(default_factory=dict)


class Ip(Area["Machine"]):
    """What IP knows. A fresh machine has its own address on the management adapter and DHCP on the others."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._state = _State()
        nics = (item for item in owner.network.adapters if item.status == "Up" and item.is_nic)
        first = next(nics, None)
        if first and is_ip_address(owner.address):
            self._adopt(first, owner.address)

    def _adopt(self, adapter: Adapter, address: str) -> None:
        own = IpAddress(address, _MANAGEMENT_PREFIX, adapter.guid)
        network = ipaddress.ip_network(f"{address}/{_MANAGEMENT_PREFIX}", strict=False)
        gateway = str(network.network_address + 1)
        if gateway == address:
            gateway = str(network.broadcast_address - 1)
        self._state.addresses.append(own)
        self._state.routes += [
            Route(str(network), _ON_LINK[own.family], adapter.guid),
            Route(DEFAULT_ROUTES[own.family], gateway, adapter.guid),
        ]
        self._state.interfaces[_key(adapter.guid, own.family)] = Interface(dhcp=False)

    # -- addresses ------------------------------------------------------------------------------------------

    def addresses(self, alias: str | None = None, family: str = "") -> list[tuple[str, IpAddress]]:
        """Give ``(alias, address)`` of every address that shows; ``alias`` and ``family`` limit them."""
        shown: list[tuple[str, IpAddress]] = []
        for item in self._state.addresses:
            carrier = self._carrier(item.guid)
            if carrier:
                shown.append((carrier.name, item))
        shown += [
            (LOOPBACK, IpAddress("127.0.0.1", 8, "", "WellKnown")),
            (LOOPBACK, IpAddress("::1", 128, "", "WellKnown")),
        ]
        return [(name, item) for name, item in shown if _fits(name, item.family, alias, family)]

    def add(self, alias: str, address: str, prefix: int) -> None:
        """Give an adapter an address, as New-NetIPAddress does; DHCP ends there.

        Raises:
            MachineError: no such adapter, no address, or somebody has it.
        """
        self.owner.ledger.attempt("New-NetIPAddress")
        adapter = self._adapter(alias, "New-NetIPAddress")
        text = spelled(address)
        longest = 128 if family_of(text) == "IPv6" else 32
        if not 0 <= prefix <= longest:
            raise _invalid("PrefixLength", prefix)
        if text == address and not is_ip_address(text):
            raise _invalid("IPAddress", address)
        if any(item.text == text for _, item in self.addresses()):
            raise MachineError(
                "Instance MSFT_NetIPAddress already exists",
                "Windows System Error 5010",
                "ResourceExists",
                CIM_EXCEPTION,
            )
        item = IpAddress(text, prefix, adapter.guid)
        self._state.addresses = [
            old
            for old in self._state.addresses
            if not (old.guid == adapter.guid and old.origin == "Dhcp" and old.family == item.family)
        ] + [item]
        network = str(ipaddress.ip_network(f"{text}/{prefix}", strict=False))
        if prefix:
            self._put(Route(network, _ON_LINK[item.family], adapter.guid))
        self.set_interface(alias, item.family, dhcp=False)
        self.owner.ledger.changed("ip", f"{adapter.name} has {text}/{prefix}")

    def remove(self, alias: str, address: str) -> None:
        """Take an address from an adapter with the link's route; one that is not there is no matter."""
        self.owner.ledger.attempt("Remove-NetIPAddress")
        gone = [item for name, item in self.addresses(alias) if item.text == spelled(address)]
        self._state.addresses = [item for item in self._state.addresses if item not in gone]
        left = {_network(item) for item in self._state.addresses}
        links = {(_network(item), item.guid) for item in gone if _network(item) not in left}
        self._state.routes = [
            item
            for item in self._state.routes
            if (item.destination, item.guid) not in links or item.next_hop not in _ON_LINK.values()
        ]
        self.owner.ledger.changed("ip", f"{alias} lost {address}")

    # -- routes ---------------------------------------------------------------------------------------------

    def routes(self, alias: str | None = None, family: str = "") -> list[tuple[str, Route]]:
        """Give ``(alias, route)`` of every route of the adapters that shows."""
        shown = [(carrier.name, item) for item in self._state.routes if (carrier := self._carrier(item.guid))]
        return [(name, item) for name, item in shown if _fits(name, item.family, alias, family)]

    def add_route(self, alias: str, destination: str, next_hop: str, metric: int = 256) -> None:
        """Add a route.

        Raises:
            MachineError: no such adapter, or the route is there.
        """
        self.owner.ledger.attempt("New-NetRoute")
        adapter = self._adapter(alias, "New-NetRoute")
        route = Route(destination, spelled(next_hop), adapter.guid, metric)
        if any(_same_route(item, route) for _, item in self.routes(alias)):
            raise MachineError(
                "Instance MSFT_NetRoute already exists",
                "Windows System Error 5010",
                "ResourceExists",
                CIM_EXCEPTION,
            )
        self._put(route)
        self.owner.ledger.changed("ip", f"{adapter.name}: route {destination} over {next_hop}")

    def remove_route(self, alias: str, destination: str, next_hop: str) -> None:
        """Remove a route; one that is not there is no matter."""
        self.owner.ledger.attempt("Remove-NetRoute")
        gone = [
            item
            for _, item in self.routes(alias)
            if item.destination == destination and item.next_hop == spelled(next_hop)
        ]
        self._state.routes = [item for item in self._state.routes if item not in gone]
        self.owner.ledger.changed("ip", f"{alias}: route {destination} removed")

    def _put(self, route: Route) -> None:
        if not any(_same_route(item, route) for item in self._state.routes):
            self._state.routes.append(route)

    # -- name servers and interfaces ------------------------------------------------------------------------

    def dns_servers(self, alias: str, family: str) -> list[str]:
        """Give the name servers that were set on an adapter, in their order; those of DHCP are not among them."""
        adapter = self.owner.network.find(alias)
        text = adapter and self.owner.registry.get(self.dns_key(adapter, family), "NameServer")
        return [item for item in str(text).split(",") if item] if text else []

    def set_dns_servers(self, alias: str, servers: Iterable[str]) -> None:
        """Set the name servers of the families of ``servers``; without any, those of both families go.

        Raises:
            MachineError: there is no such adapter.
        """
        self.owner.ledger.attempt("Set-DnsClientServerAddress")
        adapter = self._adapter(alias, "Set-DnsClientServerAddress")
        wanted = list(servers)
        for family in _STACKS:
            chosen = [item for item in wanted if family_of(item) == family]
            if chosen or not wanted:
                self.owner.registry.set(self.dns_key(adapter, family), "NameServer", ",".join(chosen))
        self.owner.ledger.changed("ip", f"{adapter.name}: name servers {', '.join(wanted) or 'reset'}")

    @staticmethod
    def dns_key(adapter: Adapter, family: str) -> str:
        """Give the registry key that holds the value NameServer of an adapter."""
        return _INTERFACES.format(_STACKS[family], adapter.guid)

    def interface(self, alias: str, family: str) -> Interface:
        """Give how IP is set up on an adapter. DHCP is on until an address is set."""
        adapter = self.owner.network.find(alias)
        guids = [item.guid for item in self.owner.network.adapters if self._shows(item, alias)]
        for guid in ([adapter.guid] if adapter else []) + guids:
            if found := self._state.interfaces.get(_key(guid, family)):
                return found
        return Interface(dhcp=family == "IPv4")

    def set_interface(self, alias: str, family: str, **changes: Any) -> None:
        """Change how IP is set up on an adapter.

        Raises:
            MachineError: there is no such adapter.
        """
        self.owner.ledger.attempt("Set-NetIPInterface")
        adapter = self._adapter(alias, "Set-NetIPInterface")
        changed = replace(self.interface(alias, family), **changes)
        self._state.interfaces[_key(adapter.guid, family)] = changed
        self.owner.ledger.changed("ip", f"{adapter.name}: IP interface set")

    # -- parts ----------------------------------------------------------------------------------------------

    def _adapter(self, alias: str, cmdlet: str) -> Adapter:
        adapter = self.owner.network.find(alias)
        if adapter is None and cmdlet in _QUERYING:
            raise MachineError(
                f"No {_QUERYING[cmdlet]} objects found with property 'InterfaceAlias' equal to '{alias}'.  Verify "
                "the value of the property and retry.",
                "CmdletizationQuery_NotFound_InterfaceAlias",
                "ObjectNotFound",
                "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
            )
        if adapter is None:
            raise _invalid("InterfaceAlias", alias)
        return adapter

    def _carrier(self, guid: str) -> Adapter | None:
        network = self.owner.network
        found = next((item for item in network.adapters if item.guid == guid), None)
        return network.carrier(found) if found else None

    def _shows(self, adapter: Adapter, alias: str) -> bool:
        carrier = self.owner.network.carrier(adapter)
        return carrier is not None and carrier.name.casefold() == alias.casefold()

    def adopt(self, addresses: Iterable[IpAddress], routes: Iterable[Route]) -> None:
        """Take these addresses and routes for all there are."""
        self._state.addresses = list(addresses)
        self._state.routes = list(routes)

    def to_plain(self) -> dict[str, Any]:
        """Give addresses, routes and interfaces; name servers are in the registry."""
        return {
            "addresses": [list(astuple(item)) for item in self._state.addresses],
            "routes": [list(astuple(item)) for item in self._state.routes],
            "interfaces": {key: list(astuple(item)) for key, item in self._state.interfaces.items()},
        }

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave; an adapter may be given by its name in place of its GUID."""
        guids = {item.name: item.guid for item in self.owner.network.adapters}
        if "addresses" in plain:
            found = [IpAddress(*item) for item in plain["addresses"]]
            self._state.addresses = [replace(item, guid=guids.get(item.guid, item.guid)) for item in found]
        if "routes" in plain:
            routes = [Route(*item) for item in plain["routes"]]
            self._state.routes = [replace(item, guid=guids.get(item.guid, item.guid)) for item in routes]
        for key, item in plain.get("interfaces", {}).items():
            self._state.interfaces[key] = Interface(*item)


def _invalid(parameter: str, value: Any) -> MachineError:
    return MachineError(
        f"Invalid parameter {parameter} {value}", "Windows System Error 87", "InvalidArgument", CIM_EXCEPTION
    )


def _key(guid: str, family: str) -> str:
    return f"{guid}/{family}"


def _fits(name: str, family: str, alias: str | None, wanted: str) -> bool:
    return (alias is None or name.casefold() == alias.casefold()) and wanted.casefold() in (
        "",
        family.casefold(),
    )


def _network(item: IpAddress) -> str:
    return str(ipaddress.ip_network(f"{item.text}/{item.prefix}", strict=False))


def _same_route(left: Route, right: Route) -> bool:
    return (left.destination, left.next_hop, left.guid) == (right.destination, right.next_hop, right.guid)
