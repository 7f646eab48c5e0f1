"""Ask which Windows a node runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of("Get-CimInstance", ClassName="Win32_OperatingSystem", Property=["Caption", "BuildNumber"])

#: By build: releases of Windows Server that provisioner knows.
RELEASES = {"14393": "2016", "17763": "2019", "20348": "2022", "26100": "2025"}


class OperatingSystem:
    """The Windows of a node."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<operating system on {self._asked.node}>"

    @property
    def caption(self) -> str:
        """Return how Windows calls itself."""
        return text_of(self._row["Caption"])

    @property
    def build(self) -> str:
        """Return the number of the build."""
        return text_of(self._row["BuildNumber"])

    @property
    def release(self) -> str:
        """Return 2016, 2019, 2022 or 2025; for another build its number."""
        return RELEASES.get(self.build, f"build {self.build}")

    @property
    def _row(self) -> Record:
        return only_row(self._asked.node, table_of(self._asked, TABLE), "operating system")
