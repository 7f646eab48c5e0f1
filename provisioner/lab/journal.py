"""What happened to a simulated node, for tests and people to read: one JSON object per line, in order.

Kinds: start, command, lcm-method, meta-configuration, meta-configuration-corrupt, job-started, resource-set,
resource-failed, job-ended, job-refused, job-aborted, consistency, lcm-killed, shutdown, boot, fault, stop. Values
of parameters are never written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any


class Journal:
    """Appends to one file, opened for each line: ``path`` may be read, or moved away, at any time."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._now = now
        #: Told each entry after it was written.
        self.listeners: list[Callable[[dict[str, Any]], None]] = []

    def write(self, kind: str, **details: Any) -> None:
        """Append a line."""
        entry = {"time": self._now().isoformat(timespec="milliseconds"), "kind": kind, **details}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, default=str) + "\n")
        for listener in self.listeners:
            listener(entry)

    def entries(self, *kinds: str) -> list[dict[str, Any]]:
        """Read the entries of these kinds, or all; none when nothing happened yet."""
        if not self.path.exists():
            return []
        lines = self.path.read_text(encoding="utf-8").splitlines()
        found: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [entry for entry in found if not kinds or entry["kind"] in kinds]
