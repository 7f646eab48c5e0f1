"""Ask for a Windows service.

The whole table of ``Win32_Service`` comes with one command: it knows the start mode, the account and the
command line, which ``Get-Service`` of Windows PowerShell 5.1 does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of(
    "Get-CimInstance",
    ClassName="Win32_Service",
    Property=["Name", "State", "StartMode", "StartName", "PathName"],
)


class Service:
    """One service, by its short name (``vmms``). Questions about a missing service raise NodeError."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<service {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether there is such a service."""
        return bool(self._rows)

    @property
    def is_running(self) -> bool:
        """Whether its state is Running."""
        return self.state == "Running"

    @property
    def is_enabled(self) -> bool:
        """Whether Windows starts it at boot (start mode Auto, delayed or not)."""
        return self.start_mode == "Auto"

    @property
    def state(self) -> str:
        """Return Running, Stopped, Start Pending, Stop Pending, Paused and so on."""
        return text_of(self._row["State"])

    @property
    def start_mode(self) -> str:
        """Return Auto, Manual, Disabled, Boot or System."""
        return text_of(self._row["StartMode"])

    @property
    def start_name(self) -> str:
        r"""Return the account it runs as, as Windows writes it (``LocalSystem``, ``DOMAIN\user``)."""
        return text_of(self._row["StartName"])

    @property
    def path(self) -> str:
        """Return its whole command line."""
        return text_of(self._row["PathName"])

    @property
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "Name", self.name)

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"service named {self.name}")
