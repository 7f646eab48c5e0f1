from __future__ import annotations

from datetime import timedelta

from provisioner.addresses import NodeName
from provisioner.events import Event, JobFinished, NodeSkipped, RebootFinished, Recorded, RunStarted
from provisioner.reports.board import Board, Standing
from tests.unit.reports.stream import START, STREAM


def board(until: int = len(STREAM)) -> Board:
    folded = Board()
    for recorded in STREAM[:until]:
        folded.take(recorded)
    return folded


def test_nodes_stand_in_the_order_of_the_inventory() -> None:
    assert list(board(1).lines) == ["hv01", "hv02", "hv03", "st01", "st02", "st03"]
    assert {line.standing for line in board(1).lines.values()} == {Standing.WAITING}


def test_the_end_of_the_stream_is_counted_right() -> None:
    folded = board()
    assert folded.counts() == "2 done · 3 failed · 1 skipped"
    line = folded.lines["hv01"]
    assert (line.changed, line.reboots, line.checks, line.elapsed_s(START + timedelta(days=1))) == (
        3,
        1,
        1,
        122.5,
    )


def test_time_runs_only_while_a_node_is_at_work() -> None:
    folded = board(5)
    assert folded.lines["st03"].elapsed_s(START + timedelta(seconds=9)) == 0.0
    assert folded.lines["hv01"].elapsed_s(START + timedelta(seconds=9)) == 9.0


def test_equal_causes_are_told_once_with_all_their_nodes() -> None:
    causes = board().causes()
    assert [cause.nodes for cause in causes] == [("hv02", "hv03"), ("st02",)]


def test_a_board_without_nodes_says_so() -> None:
    assert Board().counts() == "no nodes"


def test_an_interrupted_node_shows_what_its_jobs_changed() -> None:
    name = NodeName("hv01")
    events: list[Event] = [
        RunStarted("r", "i", "apply", ("hv01",), 1, {}),
        JobFinished(name, "{J}", 1, "Success", "PendingReboot", True, ("[a]x", "[a]y"), (), 1.0),
        RebootFinished(name, "2026-01-01T00:00:00+00:00", 2.0),
        NodeSkipped(name, "interrupted"),
    ]
    taken = Board()
    for number, event in enumerate(events, 1):
        taken.take(Recorded("r", number, STREAM[0].time, event))
    line = taken.lines["hv01"]
    assert (line.changed, line.reboots) == (2, 1)
