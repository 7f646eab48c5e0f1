"""Ask for a rule of Windows Firewall by its name, which is the same in every language of Windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Command, Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of, text_of

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
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "Name", self.name)

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"firewall rule named {self.name}")
