"""Ask for the page file of a drive; those of all drives come with one question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of(
    "Get-CimInstance", ClassName="Win32_PageFileSetting", Property=["Name", "InitialSize", "MaximumSize"]
)


class PageFile:
    """What is set for the page file of a drive (``C:``). Windows sizes one whose sizes are 0."""

    def __init__(self, asked: AskedNode, drive: str) -> None:
        self._asked = asked
        self.drive = drive

    def __repr__(self) -> str:
        return f"<page file {self.drive} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether one is set for this drive."""
        return bool(self._rows)

    @property
    def initial_mb(self) -> int:
        """Return its first size in MB."""
        return int(self._row["InitialSize"])

    @property
    def maximum_mb(self) -> int:
        """Return its greatest size in MB."""
        return int(self._row["MaximumSize"])

    @property
    def _rows(self) -> tuple[Record, ...]:
        rows = table_of(self._asked, TABLE)
        return tuple(row for row in rows if text_of(row["Name"]).casefold().startswith(self.drive.casefold()))

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"page file on drive {self.drive}")
