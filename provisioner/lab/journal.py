"""What happened to a simulated node, for tests and people to read: one JSON object per line, in order.

Kinds: start, command, lcm-method, meta-configuration, job-started, resource-set, resource-failed, job-ended,
job-refused, job-aborted, shutdown, boot, stop. Values of parameters are never written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any


class Journal:
    """Appends to one file and flushes each line. ``path`` may be read at any time."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        self._file = path.open("a", encoding="utf-8")

    def write(self, kind: str, **details: Any) -> None:
        """Append a line; nothing happens after ``close``."""
        if not self._file.closed:
            entry = {"time": self._now().isoformat(timespec="milliseconds"), "kind": kind, **details}
            self._file.write(json.dumps(entry, default=str) + "\n")
            self._file.flush()

    def entries(self, *kinds: str) -> list[dict[str, Any]]:
        """Read the entries of these kinds, or all."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        found: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [entry for entry in found if not kinds or entry["kind"] in kinds]

    def close(self) -> None:
        """Close the file."""
        self._file.close()
