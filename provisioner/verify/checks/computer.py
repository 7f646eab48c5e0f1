"""Ask what a computer is called and which domain it is a member of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of(
    "Get-CimInstance",
    ClassName="Win32_ComputerSystem",
    Property=["Name", "Domain", "PartOfDomain", "AutomaticManagedPagefile"],
)


class Computer:
    """The name of a node and its domain."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<computer on {self._asked.node}>"

    @property
    def name(self) -> str:
        """Return the computer name."""
        return text_of(self._row["Name"])

    @property
    def domain(self) -> str:
        """Return the DNS name of the domain; empty for a member of a workgroup."""
        return text_of(self._row["Domain"]) if self._row["PartOfDomain"] else ""

    @property
    def manages_page_files(self) -> bool:
        """Whether Windows sizes the page files of all drives by itself."""
        return bool(self._row["AutomaticManagedPagefile"])

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, table_of(self._asked, TABLE), "computer system")
