"""Ask for a package of the driver store, from which Windows takes the driver of a device that appears.

Those that came with Windows are not among them: asking for all takes minutes.
"""

from __future__ import annotations

import ntpath
from typing import TYPE_CHECKING

from provisioner.transport.base import SWITCH, Pipeline
from provisioner.verify.question import AskedNode, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of("Get-WindowsDriver", Online=SWITCH)


class DriverPackage:
    """The packages of one name (``netkvm.inf``); there may be several, of several versions."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<driver package {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether the driver store has one."""
        return bool(self._rows)

    @property
    def versions(self) -> list[str]:
        """Return their versions as the store has them."""
        return [text_of(row["Version"]) for row in self._rows]

    @property
    def _rows(self) -> tuple[Record, ...]:
        wanted = self.name.casefold()
        return tuple(
            row
            for row in table_of(self._asked, TABLE)
            if ntpath.basename(text_of(row["OriginalFileName"])).casefold() == wanted
        )
