"""Ask by what firmware a machine was started."""

from __future__ import annotations

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

TABLE = Pipeline.of("Get-ComputerInfo", Property="BiosFirmwareType")


class Firmware:
    """The firmware of one node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<firmware on {self._asked.node}>"

    @property
    def type(self) -> str:
        """Return Bios or Uefi; Unknown where Windows cannot tell."""
        row = only_row(self._asked.node, table_of(self._asked, TABLE), "computer")
        return text_of(row["BiosFirmwareType"])
