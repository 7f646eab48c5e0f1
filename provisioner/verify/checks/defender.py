"""Ask what Microsoft Defender leaves alone, and whether it looks at the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, items_of, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of("Get-MpPreference")


class Defender:
    """Preferences of Defender. Without Defender every question raises CommandError."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<defender on {self._asked.node}>"

    @property
    def scans_in_real_time(self) -> bool:
        """Whether files are scanned when they are opened."""
        return self._row["DisableRealtimeMonitoring"] is False

    @property
    def paths(self) -> frozenset[str]:
        """Return excluded files and folders in lower case, without a backslash at the end."""
        return frozenset(
            text_of(item).casefold().rstrip("\\") for item in items_of(self._row["ExclusionPath"])
        )

    @property
    def extensions(self) -> frozenset[str]:
        """Return excluded extensions in lower case, without dot."""
        return frozenset(
            text_of(item).casefold().lstrip(".") for item in items_of(self._row["ExclusionExtension"])
        )

    @property
    def processes(self) -> frozenset[str]:
        """Return excluded programs in lower case."""
        return frozenset(text_of(item).casefold() for item in items_of(self._row["ExclusionProcess"]))

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, table_of(self._asked, TABLE), "preference")
