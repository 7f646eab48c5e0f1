"""A run as JSON lines: one object per event, for programs.

The first line tells the version of this format. A higher minor number only adds event types and fields; a higher
major number may change what is there.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from provisioner.events import to_plain

if TYPE_CHECKING:
    from typing import TextIO

    from provisioner.events import Recorded

#: Version of the lines.
FORMAT = "1.1"


class JsonLinesReporter:
    """Writes to ``stream`` and flushes each line, so that a reader sees it at once. Does not close the stream."""

    def __init__(self, stream: TextIO, version: str) -> None:
        self._stream = stream
        self._write({"type": "version", "provisioner": version, "format": FORMAT})

    def handle(self, recorded: Recorded) -> None:
        """Write one line."""
        self._write(to_plain(recorded))

    def close(self) -> None:
        """Do nothing: every line is out already."""

    def _write(self, data: dict[str, Any]) -> None:
        # ASCII only: no text of a node can reach a terminal as a control sequence.
        self._stream.write(json.dumps(data, ensure_ascii=True) + "\n")
        self._stream.flush()
