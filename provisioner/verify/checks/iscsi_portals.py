"""Ask where the Microsoft iSCSI Target Server listens.

A portal arrives as its text, ``+192.0.2.21:3260``: a plus stands before one that is enabled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import items_of, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.verify.question import AskedNode

QUESTION = Pipeline.of("Get-IscsiTargetServerSetting")


class IscsiPortals:
    """The portals of a target server."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<iscsi portals on {self._asked.node}>"

    @property
    def listening(self) -> frozenset[str]:
        """Return the addresses that listen, without their port."""
        rows = table_of(self._asked, QUESTION)
        portals = items_of(only_row(self._asked.node, rows, "iSCSI target server")["Portals"])
        enabled = (text_of(item)[1:] for item in portals if text_of(item).startswith("+"))
        return frozenset(endpoint.rpartition(":")[0].strip("[]") for endpoint in enabled)
