"""Ask for a network adapter, whether it is up and what it has of IPv4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, items_of, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

ADAPTERS: Final = Pipeline.of("Get-NetAdapter")
ADDRESSES: Final = Pipeline.of("Get-NetIPAddress", AddressFamily="IPv4")
ROUTES: Final = Pipeline.of("Get-NetRoute", AddressFamily="IPv4")
SERVERS: Final = Pipeline.of("Get-DnsClientServerAddress", AddressFamily="IPv4")
#: What an adapter makes up that has no address, and the default route.
_MADE_UP: Final = "169.254."
_ANYWHERE: Final = "0.0.0.0/0"


class NetAdapter:
    """One adapter by its name. Questions about a missing one raise NodeError, but for ``exists`` and addresses."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<net adapter {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether there is an adapter of this name."""
        return bool(named(table_of(self._asked, ADAPTERS), "Name", self.name))

    @property
    def is_up(self) -> bool:
        """Whether it is enabled and connected."""
        rows = named(table_of(self._asked, ADAPTERS), "Name", self.name)
        row = only_row(self._asked.node, rows, f"network adapter named {self.name}")
        return text_of(row["Status"]) == "Up"

    @property
    def ipv4_addresses(self) -> frozenset[str]:
        """Return its addresses with their prefix length; those that Windows makes up are left out."""
        return frozenset(
            f"{text_of(row['IPAddress'])}/{row['PrefixLength']}"
            for row in self._own(ADDRESSES)
            if not text_of(row["IPAddress"]).startswith(_MADE_UP)
        )

    @property
    def default_gateway(self) -> str:
        """Return the next hop of its default route; empty without one."""
        routes = [row for row in self._own(ROUTES) if text_of(row["DestinationPrefix"]) == _ANYWHERE]
        return text_of(routes[0]["NextHop"]) if routes else ""

    @property
    def name_servers(self) -> tuple[str, ...]:
        """Return its name servers in their order."""
        return tuple(text_of(item) for row in self._own(SERVERS) for item in items_of(row["ServerAddresses"]))

    def _own(self, question: Pipeline) -> tuple[Record, ...]:
        return named(table_of(self._asked, question), "InterfaceAlias", self.name)
