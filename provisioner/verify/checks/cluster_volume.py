"""Ask a node for a Cluster Shared Volume: whether there is one, its state, and where it is mounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of("Get-ClusterSharedVolume")


class ClusterVolume:
    """One Cluster Shared Volume by the name of its disk. Questions about a missing one raise NodeError."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<cluster volume {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether the cluster has a shared volume of this name."""
        return bool(self._rows)

    @property
    def is_online(self) -> bool:
        """Whether it is on line."""
        return self.state.casefold() == "online"

    @property
    def state(self) -> str:
        """Return Online, Offline, Failed and so on."""
        return text_of(only_row(self._asked.node, self._rows, f"cluster shared volume {self.name}")["State"])

    @property
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "Name", self.name)
