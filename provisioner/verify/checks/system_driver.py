"""Ask for a driver as Windows loads it: the services that are drivers.

A driver whose device was never there has no such service, though its package may be in the driver store
(``host.driver_package``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of(
    "Get-CimInstance", ClassName="Win32_SystemDriver", Property=["Name", "State", "StartMode"]
)


class SystemDriver:
    """One driver by the name of its service (``viostor``). Questions about a missing one raise NodeError."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<driver {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether there is such a driver."""
        return bool(self._rows)

    @property
    def is_running(self) -> bool:
        """Whether it is loaded."""
        return text_of(self._row["State"]) == "Running"

    @property
    def start_mode(self) -> str:
        """Return Boot (the loader of Windows reads it, as the disk needs), System, Auto, Manual or Disabled."""
        return text_of(self._row["StartMode"])

    @property
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "Name", self.name)

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"driver named {self.name}")
