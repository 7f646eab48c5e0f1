"""Ask whether Windows waits for a restart."""

from __future__ import annotations

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, output_of

_WINDOWS = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion"
TABLE = Pipeline.of(
    "Test-Path",
    LiteralPath=[
        rf"{_WINDOWS}\Component Based Servicing\RebootPending",
        rf"{_WINDOWS}\WindowsUpdate\Auto Update\RebootRequired",
    ],
)


class PendingReboot:
    """What waits for a restart."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<pending reboot on {self._asked.node}>"

    @property
    def is_pending(self) -> bool:
        """Whether servicing (features) or an update waits for a restart."""
        return any(output_of(self._asked, TABLE))
