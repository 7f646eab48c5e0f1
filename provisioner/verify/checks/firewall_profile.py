"""Ask for a profile of Windows Firewall; all three come with one question."""

from __future__ import annotations

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of, text_of

TABLE = Pipeline.of("Get-NetFirewallProfile")


class FirewallProfile:
    """Domain, Private or Public."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<firewall profile {self.name} on {self._asked.node}>"

    @property
    def is_enabled(self) -> bool:
        """Whether the firewall is on where this profile counts."""
        rows = named(table_of(self._asked, TABLE), "Name", self.name)
        enabled = only_row(self._asked.node, rows, f"firewall profile named {self.name}")["Enabled"]
        return text_of(enabled).casefold() in {"true", "1"}
