"""Ask where the Windows Time service takes the time from, which the registry says in no language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of(
    "Get-ItemProperty", LiteralPath=r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time\Parameters"
)


class TimeSource:
    """The source of time of a node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<time source on {self._asked.node}>"

    @property
    def type(self) -> str:
        """Return NTP, NT5DS (the hierarchy of the domain), AllSync or NoSync."""
        return text_of(self._row["Type"])

    @property
    def servers(self) -> frozenset[str]:
        """Return the servers in lower case, without flags."""
        listed = text_of(self._row.get("NtpServer") or "")
        return frozenset(entry.partition(",")[0].casefold() for entry in listed.split())

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, table_of(self._asked, TABLE), "time source")
