from __future__ import annotations

import io
import json

from provisioner.events import from_plain
from provisioner.reports.jsonl import JsonLinesReporter
from tests.unit.reports.stream import STREAM


def lines() -> list[str]:
    stream = io.StringIO()
    reporter = JsonLinesReporter(stream, "1.2.3")
    for recorded in STREAM:
        reporter.handle(recorded)
    reporter.close()
    assert not stream.closed
    return stream.getvalue().splitlines()


def test_the_first_line_tells_the_versions() -> None:
    assert json.loads(lines()[0]) == {"type": "version", "provisioner": "1.2.3", "format": "1.1"}


def test_every_event_is_one_line_that_reads_back_equal() -> None:
    assert [from_plain(json.loads(line)) for line in lines()[1:]] == STREAM


def test_no_line_holds_a_control_character() -> None:
    assert all(line.isascii() and line.isprintable() for line in lines())


def test_each_line_is_flushed_at_once() -> None:
    flushed = []

    class Stream(io.StringIO):
        def flush(self) -> None:
            flushed.append(self.getvalue())

    reporter = JsonLinesReporter(Stream(), "1")
    reporter.handle(STREAM[0])
    assert [text.count("\n") for text in flushed] == [1, 2]
