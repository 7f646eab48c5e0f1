"""Ask for the time zone."""

from __future__ import annotations

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

TABLE = Pipeline.of("Get-TimeZone")


class TimeZone:
    """The time zone of a node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<time zone on {self._asked.node}>"

    @property
    def id(self) -> str:
        """Return its id, which is the same in all languages (``UTC``, ``W. Europe Standard Time``)."""
        rows = table_of(self._asked, TABLE)
        return text_of(only_row(self._asked.node, rows, "time zone")["Id"])
