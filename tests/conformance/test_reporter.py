"""One suite for every reporter: add a new one to `REPORTERS`."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

import pytest

from provisioner.addresses import NodeName
from provisioner.events import Connecting, NodeDone, Recorded
from provisioner.reports.base import FanOut, Reporter
from provisioner.reports.jsonl import JsonLinesReporter
from provisioner.reports.terminal import TerminalReporter
from tests.unit.reports.stream import STREAM


def now() -> datetime:
    return datetime(2026, 1, 1, 12, 5, tzinfo=UTC)


REPORTERS: dict[str, Callable[[TextIO], Reporter]] = {
    "lines": lambda stream: TerminalReporter(stream, now=now, is_terminal=False),
    "live": lambda stream: TerminalReporter(stream, now=now, is_terminal=True, width=80, height=20),
    "jsonl": lambda stream: JsonLinesReporter(stream, "0"),
    "fan-out": lambda stream: FanOut([JsonLinesReporter(stream, "0")]),
}


@pytest.fixture(params=sorted(REPORTERS))
def made(request: Any) -> Any:
    stream = io.StringIO()
    return REPORTERS[request.param](stream), stream


def test_a_whole_run_is_shown_and_names_every_node(made: Any) -> None:
    reporter, stream = made
    for recorded in STREAM:
        reporter.handle(recorded)
    reporter.close()
    text = stream.getvalue()
    assert all(name in text for name in ("hv01", "hv02", "st03"))
    assert not stream.closed


@pytest.mark.parametrize("length", range(0, len(STREAM), 7))
def test_a_run_may_end_anywhere(made: Any, length: Any) -> None:
    reporter, _ = made
    for recorded in STREAM[:length]:
        reporter.handle(recorded)
    reporter.close()


def test_events_of_a_node_the_run_did_not_announce_do_no_harm(made: Any) -> None:
    reporter, _ = made
    name = NodeName("late")
    for number, event in enumerate((STREAM[0].event, Connecting(name), NodeDone(name, 0, 0)), 1):
        reporter.handle(Recorded("r", number, STREAM[0].time, event))
    reporter.close()
