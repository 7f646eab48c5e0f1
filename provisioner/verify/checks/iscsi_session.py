"""Ask for a session of the iSCSI initiator with one target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline, Record
from provisioner.verify.question import named, table_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

QUESTION = Pipeline.of("Get-IscsiSession")


class IscsiSession:
    """The sessions with a target, by its IQN; there may be one for each path."""

    def __init__(self, asked: AskedNode, target: str) -> None:
        self._asked = asked
        self.target = target

    def __repr__(self) -> str:
        return f"<iscsi session {self.target} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether the initiator is logged on."""
        return any(row.get("IsConnected") is True for row in self._rows)

    @property
    def is_persistent(self) -> bool:
        """Whether it comes back after a boot by itself."""
        return any(row.get("IsPersistent") is True for row in self._rows)

    @property
    def _rows(self) -> tuple[Record, ...]:
        rows = table_of(self._asked.node, QUESTION, self._asked.ask(QUESTION))
        return named(rows, "TargetNodeAddress", self.target)
