"""What an LCM keeps across restarts: documents by stage, settings, resting state, status history."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from provisioner.lab.lcm import settings
from provisioner.lab.lcm.status import StatusRecord

#: Beyond this many records the oldest go, whatever the retention time says.
_HISTORY = 200


@dataclass(slots=True)
class Store:
    """``state`` is the LCMState while nothing runs. ``job_id`` is the job the pending document belongs to."""

    state: str = "Idle"
    pending: bytes | None = None
    current: bytes | None = None
    previous: bytes | None = None
    job_id: str = ""
    settings: dict[str, Any] = field(default_factory=settings.defaults)
    history: list[StatusRecord] = field(default_factory=list)

    def remember(self, record: StatusRecord, now: datetime) -> None:
        """Put a status record first and drop those that are too old."""
        oldest = now - timedelta(days=int(self.settings["StatusRetentionTimeInDays"]))
        kept = [each for each in self.history if datetime.fromisoformat(each.start) >= oldest]
        self.history = [record, *kept][:_HISTORY]

    def accept(self, document: bytes, job_id: str) -> None:
        """Make ``document`` the pending one.

        Current becomes Previous now, before the run, as in the open-source LCM; on Windows the moment is not
        known.
        """
        if self.current is not None:
            self.previous, self.current = self.current, None
        self.pending = document
        self.job_id = job_id

    def settle(self) -> None:
        """Pending was reached: it becomes Current."""
        if self.pending is not None:
            self.current, self.pending = self.pending, None
        self.job_id = ""
        self.state = "Idle"

    def to_plain(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "state": self.state,
            "pending": _encode(self.pending),
            "current": _encode(self.current),
            "previous": _encode(self.previous),
            "job_id": self.job_id,
            "settings": self.settings,
            "history": [record.to_plain() for record in self.history],
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Store:
        """Take what ``to_plain`` gave."""
        return cls(
            plain["state"],
            _decode(plain["pending"]),
            _decode(plain["current"]),
            _decode(plain["previous"]),
            plain["job_id"],
            dict(plain["settings"]),
            [StatusRecord.from_plain(each) for each in plain["history"]],
        )


def _encode(document: bytes | None) -> str | None:
    return None if document is None else base64.b64encode(document).decode("ascii")


def _decode(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
