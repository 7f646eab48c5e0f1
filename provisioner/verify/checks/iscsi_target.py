"""Ask for a target of the Microsoft iSCSI Target Server.

Initiators and disks are objects of their own, which a node sends either whole or, below the depth at which
PowerShell serialises, as their text (``IQN:iqn...``, ``TargetName:"..";VHD:"..";LUN:0``). Both are read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provisioner.errors import NodeError
from provisioner.transport.base import Pipeline, Record
from provisioner.verify.question import AskedNode, items_of, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.addresses import NodeName

TABLE = Pipeline.of("Get-IscsiServerTarget")

_METHOD = re.compile(r"(?:iqn|dnsname|ipaddress|ipv6address|macaddress):", re.IGNORECASE)
_DISK = re.compile(r'VHD:\s*"?(?P<path>[^";]+)"?', re.IGNORECASE)


class IscsiTarget:
    """One iSCSI target by name. Questions about a missing target raise NodeError."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<iscsi target {self.name} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether there is such a target."""
        return bool(self._rows)

    @property
    def initiator_ids(self) -> frozenset[str]:
        """Return who may log in, without the method in front: ``iqn.1991-05.com.microsoft:hv01``, an address."""
        return frozenset(initiator_id(item) for item in items_of(self._row["InitiatorIds"]))

    @property
    def disks(self) -> tuple[str, ...]:
        """Return the paths of the virtual disks behind it, in the order the node lists them."""
        return tuple(_disk(self._asked.node, item) for item in items_of(self._row["LunMappings"]))

    @property
    def chap_user(self) -> str:
        """Return the user that initiators log on with; empty when they need none."""
        return text_of(self._row["ChapUserName"]) if self._row["EnableChap"] is True else ""

    @property
    def reverse_chap_user(self) -> str:
        """Return the user that the target proves itself with; empty when it does not."""
        return text_of(self._row["ReverseChapUserName"]) if self._row["EnableReverseChap"] is True else ""

    @property
    def _rows(self) -> tuple[Record, ...]:
        return named(table_of(self._asked, TABLE), "TargetName", self.name)

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, self._rows, f"iSCSI target named {self.name}")


def initiator_id(item: Any) -> str:
    """Return an initiator as plain text: ``Iqn:iqn.2026-01.example:a`` gives ``iqn.2026-01.example:a``."""
    value = item.get("Value") if isinstance(item, Record) else None
    return _METHOD.sub("", text_of(item if value is None else value), count=1)


def _disk(node: NodeName, item: Any) -> str:
    if isinstance(item, Record) and item.get("Path"):
        return text_of(item["Path"])
    found = _DISK.search(text_of(item))
    if not found:
        raise NodeError(node, f"cannot read which disk an iSCSI mapping means: {text_of(item)!r}")
    return found["path"].strip()
