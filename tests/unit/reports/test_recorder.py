from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provisioner.errors import StateError
from provisioner.events import (
    CheckFinished,
    Event,
    NodeDone,
    NodeFailed,
    Problem,
    Pushing,
    RebootStarted,
    RunStarted,
    Waiting,
)
from provisioner.reports.recorder import Recorder
from provisioner.state.memory import MemoryStateStore
from tests.unit.reports.stream import HV01
from tests.unit.reports.test_base import Collecting

STARTED = RunStarted("r", "inv", "apply", ("hv01",), 1, {"hv01": "d"})


def recorder(**changes: object) -> tuple[Recorder, MemoryStateStore, Collecting]:
    store, reporter = MemoryStateStore(), Collecting()
    made = Recorder("r", store, reporter, now=lambda: datetime(2026, 1, 1, 12, tzinfo=UTC), **changes)  # type: ignore[arg-type]
    return made, store, reporter


def test_events_get_a_number_and_a_time_and_reach_journal_and_reporter() -> None:
    record, store, reporter = recorder(next_sequence=7)
    record(STARTED)
    record(STARTED)
    assert [item.sequence for item in store.events("r")] == [7, 8]
    assert {item.time for item in reporter.seen} == {"2026-01-01T12:00:00.000+00:00"}
    assert tuple(reporter.seen) == store.events("r")


def test_no_reporter_sees_what_the_journal_did_not_take() -> None:
    class Full(MemoryStateStore):
        def append(self, recorded: object) -> None:
            raise StateError("the disk is full")

    reporter = Collecting()
    record = Recorder("r", Full(), reporter, now=lambda: datetime.now(UTC))
    with pytest.raises(StateError):
        record(STARTED)
    assert reporter.seen == []


def test_secrets_are_taken_out_of_every_text_of_every_event() -> None:
    record, store, reporter = recorder(redact=lambda text: text.replace("hunter2", "<secret>"))
    event: Event = NodeFailed(
        HV01, "LcmError", (Problem("bad hunter2", help="use hunter2"),), "hunter2", 1, 2
    )
    record(event)
    assert reporter.seen[0].event == NodeFailed(
        HV01, "LcmError", (Problem("bad <secret>", help="use <secret>"),), "<secret>", 1, 2
    )
    assert store.events("r") == tuple(reporter.seen)


@pytest.mark.parametrize("password", ["hv01", "Node", "2026", "apply", "00:00", "passed", "Error"])
def test_a_password_that_is_a_common_word_takes_away_neither_names_nor_times_nor_types(password: str) -> None:
    record, store, reporter = recorder(redact=lambda text: text.replace(password, "<secret>"))
    events: list[Event] = [
        RunStarted("20260101-r", "2026/hv01.yaml", "apply", ("hv01",), 1, {"hv01": "2026"}),
        Waiting(HV01, ("hv01",), ""),
        Pushing(HV01, "{2026-00:00}", 1),
        RebootStarted(HV01, "", "2026-01-01T00:00:00+00:00"),
        CheckFinished(HV01, "Node", "test_it", "passed"),
        NodeFailed(HV01, "NodeError", (Problem(f"bad {password}"),)),
        NodeDone(HV01, 1, 0, roles=("hv01",)),
    ]
    for event in events:
        record(event)
    *same, failed, done = (recorded.event for recorded in store.events("r"))
    assert [*same, done] == [*events[:-2], events[-1]]
    assert failed == NodeFailed(HV01, "NodeError", (Problem("bad <secret>"),))
    assert {item.time for item in reporter.seen} == {"2026-01-01T12:00:00.000+00:00"}
