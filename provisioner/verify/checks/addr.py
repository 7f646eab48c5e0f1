"""Ask whether a node finds another host by its name and reaches its ports. The names are testinfra's.

A name is looked up with Resolve-DnsName, a port tried with Test-NetConnection: of the commands Windows Server 2016
has, the only one that opens a connection. It takes no timeout: a host that is silent costs the 21 seconds after
which Windows gives up a connection, and the pings that follow, a refusal none.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from provisioner.errors import NodeError
from provisioner.transport.base import Pipeline, Record
from provisioner.verify.question import errors_of, output_of, table_of, text_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

#: How Resolve-DnsName says that nobody has the name.
_NOBODY: Final = "DNS_ERROR_RCODE_NAME_ERROR,"
_LAST_PORT: Final = 65535


class Addr:
    """Another host as seen from the node, by its name or address."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<addr {self.name} on {self._asked.node}>"

    @property
    def is_resolvable(self) -> bool:
        """Whether the node finds an address for the name; an address needs none."""
        return bool(self.ip_addresses)

    @property
    def ip_addresses(self) -> tuple[str, ...]:
        """Return its addresses of both families, as the resolver of the node orders them."""
        if _is_address(self.name):
            return (self.name,)
        pipeline = Pipeline.of("Resolve-DnsName", Name=self.name)
        errors = errors_of(self._asked.ask(pipeline))
        if errors and all(error.error_id.startswith(_NOBODY) for error in errors):
            return ()
        # What only says who answers for the zone, or what the name stands for, has no address.
        rows = (row for row in table_of(self._asked, pipeline) if text_of(row.get("Type")) in {"A", "AAAA"})
        return tuple(dict.fromkeys(text_of(row["IPAddress"]) for row in rows))

    @property
    def ipv4_addresses(self) -> tuple[str, ...]:
        """Return those of IPv4."""
        return tuple(item for item in self.ip_addresses if ":" not in item)

    @property
    def ipv6_addresses(self) -> tuple[str, ...]:
        """Return those of IPv6."""
        return tuple(item for item in self.ip_addresses if ":" in item)

    def port(self, number: int | str) -> Port:
        """Return a TCP port of it.

        Raises:
            ValueError: there is no such port.
        """
        if not 0 < int(number) <= _LAST_PORT:
            message = f"{number} is no TCP port"
            raise ValueError(message)
        return Port(self._asked, self.name, int(number))


class Port:
    """A TCP port of another host."""

    def __init__(self, asked: AskedNode, name: str, number: int) -> None:
        self._asked = asked
        self.name = name
        self.number = number

    def __repr__(self) -> str:
        return f"<port {self.number} of {self.name} on {self._asked.node}>"

    @property
    def is_reachable(self) -> bool:
        """Whether a connection can be opened; false also when nobody has the name."""
        pipeline = Pipeline.of("Test-NetConnection", ComputerName=self.name, Port=self.number)
        rows = output_of(self._asked, pipeline)
        if len(rows) != 1 or not isinstance(rows[0], Record):
            raise NodeError(self._asked.node, f"{pipeline} gave no result of a connection")
        return rows[0].get("TcpTestSucceeded") is True


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
