"""Ask which extensions of a virtual switch are enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Command, Pipeline
from provisioner.verify.question import AskedNode, named, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline((Command("Get-VMSwitch"), Command("Get-VMSwitchExtension")))


class SwitchExtension:
    """The extensions of one virtual switch that have one of some names: builds of a driver differ in it."""

    def __init__(self, asked: AskedNode, switch: str, *names: str) -> None:
        self._asked = asked
        self.switch = switch
        self.names = names

    def __repr__(self) -> str:
        return f"<switch extension {' or '.join(self.names)} of {self.switch} on {self._asked.node}>"

    @property
    def is_installed(self) -> bool:
        """Whether the switch has an extension of one of the names, enabled or not."""
        return bool(self._rows)

    @property
    def is_enabled(self) -> bool:
        """Whether an extension of one of the names is enabled on the switch."""
        return any(bool(row["Enabled"]) for row in self._rows)

    @property
    def _rows(self) -> tuple[Record, ...]:
        wanted = {name.casefold() for name in self.names}
        rows = named(table_of(self._asked, TABLE), "SwitchName", self.switch)
        return tuple(row for row in rows if text_of(row["Name"]).casefold() in wanted)
