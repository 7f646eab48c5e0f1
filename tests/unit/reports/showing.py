"""Feed the recorded stream to a terminal reporter whose clock follows the events."""

from __future__ import annotations

import io
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from provisioner.events import Recorded
from provisioner.reports.terminal import TerminalReporter
from tests.unit.reports.stream import START, STREAM

GOLDEN = Path(__file__).parents[2] / "cases" / "reports"


class Shown:
    """A reporter, its output and its clock."""

    def __init__(self, **choices: Any) -> None:
        self.output = io.StringIO()
        self.time = START
        self.reporter = TerminalReporter(
            self.output, now=lambda: self.time, **{"width": 100, "height": 30, **choices}
        )

    def feed(self, stream: list[Recorded] = STREAM, until_s: float = 1e9) -> Shown:
        for recorded in stream:
            time = datetime.fromisoformat(recorded.time)
            if (time - START).total_seconds() > until_s:
                break
            self.time = time
            self.reporter.handle(recorded)
        return self

    def frame(self) -> str:
        """The live view as it is at this moment, with its colours."""
        self.reporter._stop()
        output = io.StringIO()
        console = Console(file=output, force_terminal=True, width=100, color_system="standard", _environ={})
        console.print(self.reporter._frame())
        return output.getvalue()


def assert_golden(name: str, text: str) -> None:
    """Compare with a text under version control; REGENERATE=1 writes it anew, to be reviewed as a difference."""
    path = GOLDEN / name
    written = text.replace("\x1b", "<ESC>")
    if os.environ.get("REGENERATE"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(written, "utf-8")
    assert written == path.read_text("utf-8")
