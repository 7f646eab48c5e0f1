"""Ask whether Windows waits for a restart."""

from __future__ import annotations

from provisioner.errors import NodeError
from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, output_of

_WINDOWS = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion"
_KEYS = (
    rf"{_WINDOWS}\Component Based Servicing\RebootPending",
    rf"{_WINDOWS}\WindowsUpdate\Auto Update\RebootRequired",
)
TABLE = Pipeline.of("Test-Path", LiteralPath=list(_KEYS))


class PendingReboot:
    """What waits for a restart."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<pending reboot on {self._asked.node}>"

    @property
    def is_pending(self) -> bool:
        """Whether servicing (features) or an update waits for a restart."""
        answers = output_of(self._asked, TABLE)
        # Silence is no answer: each key is there or is not.
        if len(answers) != len(_KEYS) or not all(isinstance(answer, bool) for answer in answers):
            raise NodeError(self._asked.node, f"cannot read whether a restart is pending: {answers!r}")
        return any(answers)
