"""Ask what a node does with disks that it has not seen before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

TABLE = Pipeline.of("Get-StorageSetting")


class StorageSetting:
    """The storage settings of a node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<storage setting on {self._asked.node}>"

    @property
    def new_disk_policy(self) -> str:
        """Return the SAN policy: ``OnlineAll``, ``OfflineAll``, ``OfflineInternal`` or ``OfflineShared``."""
        rows = table_of(self._asked, TABLE)
        return text_of(only_row(self._asked.node, rows, "storage setting")["NewDiskPolicy"])
