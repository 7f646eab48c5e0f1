"""Ask whether a Windows could be generalized, that is, made an image of (sysprep).

Sources: Microsoft's pages "Windows Setup States" (ImageState) and "SoftwareLicensingService class"
(RemainingWindowsReArmCount: sysprep resets activation, and fails where that cannot be done any more).
"""

from __future__ import annotations

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

STATE = Pipeline.of(
    "Get-ItemProperty",
    LiteralPath=r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State",
    Name="ImageState",
)
LICENSING = Pipeline.of(
    "Get-CimInstance",
    ClassName="SoftwareLicensingService",
    Property=["Version", "RemainingWindowsReArmCount"],
)


class WindowsImage:
    """The Windows of a node as an image."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<image state on {self._asked.node}>"

    @property
    def state(self) -> str:
        """Return what Windows Setup says: IMAGE_STATE_COMPLETE of one that is installed and not generalized."""
        row = only_row(self._asked.node, table_of(self._asked, STATE), "state of Windows Setup")
        return text_of(row["ImageState"])

    @property
    def rearms_left(self) -> int:
        """Return how often activation can still be reset; sysprep needs one."""
        row = only_row(self._asked.node, table_of(self._asked, LICENSING), "licensing service")
        return int(row["RemainingWindowsReArmCount"])
