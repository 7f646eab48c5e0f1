"""Ask for a virtual disk of the Microsoft iSCSI Target Server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import named, only_row, table_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

TABLE = Pipeline.of("Get-IscsiVirtualDisk")


class IscsiVirtualDisk:
    """One registered virtual disk by the path of its file."""

    def __init__(self, asked: AskedNode, path: str) -> None:
        self._asked = asked
        self.path = path

    def __repr__(self) -> str:
        return f"<iscsi virtual disk {self.path} on {self._asked.node}>"

    @property
    def size(self) -> int | None:
        """Return its size in bytes; None when no such disk is registered."""
        rows = named(table_of(self._asked, TABLE), "Path", self.path)
        return int(only_row(self._asked.node, rows, f"disk at {self.path}")["Size"]) if rows else None
