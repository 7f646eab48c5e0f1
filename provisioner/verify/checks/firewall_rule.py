"""Ask for a rule of Windows Firewall by its name, which is the same in every language of Windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Command, Pipeline
from provisioner.verify.question import AskedNode, items_of, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline(
    (
        Command("Get-NetFirewallRule"),
        Command("Select-Object", {"Property": ["Name", "Enabled", "Action", "Direction", "Group"]}),
    )
)


class FirewallRule:
    """One rule. Questions about a missing rule raise NodeError."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<firewall rule {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether there is a rule of this name."""
        return bool(self._rows)

    @property
    def is_enabled(self) -> bool:
        """Whether the rule counts."""
        return text_of(self._row["Enabled"]) == "True"

    @property
    def action(self) -> str:
        """Return Allow, Block or NotConfigured."""
        return text_of(self._row["Action"])

    @property
    def direction(self) -> str:
        """Return Inbound or Outbound."""
        return text_of(self._row["Direction"])

    @property
    def group(self) -> str:
        """Return the group that whoever made the rule put it into; empty for a rule without one."""
        return text_of(self._row["Group"])

    @property
    def local_ports(self) -> frozenset[str]:
        """Return the ports and ranges of ports of this machine that the rule is for, or Any."""
        return self._filter("Get-NetFirewallPortFilter", "LocalPort")

    @property
    def remote_addresses(self) -> frozenset[str]:
        """Return whom the rule is for, as Windows shows it: Any, addresses, networks with a mask, ranges."""
        return self._filter("Get-NetFirewallAddressFilter", "RemoteAddress")

    def _filter(self, command: str, name: str) -> frozenset[str]:
        # The rule by its own name: the filters of all rules take Windows half a minute.
        asked = Pipeline(
            (Command("Get-NetFirewallRule", {"Name": text_of(self._row["Name"])}), Command(command))
        )
        row = only_row(
            self._asked.node, table_of(self._asked, asked), f"filter of the firewall rule {self.name}"
        )
        return frozenset(text_of(item) for item in items_of(row[name]))

    @property
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "Name", self.name)

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"firewall rule named {self.name}")
