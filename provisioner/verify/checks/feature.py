"""Ask for a Windows feature.

The whole table comes with one pipeline, so any number of features costs one question; of its twelve columns the
node sends two, for a server has some 270 features.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Command, Pipeline
from provisioner.verify.question import AskedNode, named, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline(
    (Command("Get-WindowsFeature"), Command("Select-Object", {"Property": ["Name", "InstallState"]}))
)


class Feature:
    """One Windows feature, by the name ``Get-WindowsFeature`` shows (``Hyper-V``, ``FS-iSCSITarget-Server``)."""

    def __init__(self, asked: AskedNode, name: str) -> None:
        self._asked = asked
        self.name = name

    def __repr__(self) -> str:
        return f"<feature {self.name} on {self._asked.node}>"

    @property
    def is_installed(self) -> bool:
        """Whether the feature is installed for good; False while the installation waits for a reboot.

        Raises:
            NodeError: Windows knows no feature of this name.
        """
        return self.install_state == "Installed"

    @property
    def install_state(self) -> str:
        """Return Installed, Available, Removed, InstallPending or UninstallPending.

        Raises:
            NodeError: Windows knows no feature of this name.
        """
        return text_of(self._row["InstallState"])

    @property
    def _row(self) -> Record:
        rows = table_of(self._asked, TABLE)
        return only_row(
            self._asked.node, named(rows, "Name", self.name), f"Windows feature named {self.name}"
        )
