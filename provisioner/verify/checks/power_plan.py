"""Ask for the active power plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of(
    "Get-CimInstance",
    Namespace="root/cimv2/power",
    ClassName="Win32_PowerPlan",
    Property=["ElementName", "InstanceID", "IsActive"],
)


class PowerPlan:
    """The power plan that counts now."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<power plan on {self._asked.node}>"

    @property
    def name(self) -> str:
        """Return its name, in the language of Windows."""
        return text_of(self._row["ElementName"])

    @property
    def guid(self) -> str:
        """Return its GUID in lower case, without braces."""
        return text_of(self._row["InstanceID"]).rpartition("{")[2].rstrip("}").lower()

    @property
    def _row(self) -> Record:
        rows = table_of(self._asked, TABLE)
        return only_row(self._asked.node, tuple(row for row in rows if row["IsActive"]), "active power plan")
