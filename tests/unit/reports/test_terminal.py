from __future__ import annotations

import os
import re
import threading
from typing import Any

import pytest

from provisioner.addresses import NodeName
from provisioner.events import Event, NodeDone, Recorded, ResourceProgress, RunFinished, RunStarted
from provisioner.reports.terminal import TerminalReporter
from tests.unit.reports.showing import Shown, assert_golden
from tests.unit.reports.stream import START, STREAM

NO_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: Any) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_without_a_terminal_each_important_event_is_a_line_and_the_summary_follows() -> None:
    shown = Shown(is_terminal=False).feed()
    shown.reporter.close()
    assert_golden("apply.txt", shown.output.getvalue())


@pytest.mark.parametrize("seconds", [2, 50, 119])
def test_on_a_terminal_each_node_has_one_live_line(seconds: Any) -> None:
    assert_golden(f"apply-live-{seconds}s.txt", Shown(is_terminal=True).feed(until_s=seconds).frame())


def test_more_nodes_than_rows_show_those_at_work_and_count_the_others() -> None:
    assert_golden("apply-live-low.txt", Shown(is_terminal=True, height=7).feed(until_s=2.5).frame())


def test_on_a_terminal_the_live_view_gives_way_to_the_same_summary() -> None:
    piped, live = Shown(is_terminal=False).feed(), Shown(is_terminal=True).feed()
    piped.reporter.close()
    live.reporter.close()
    summary = piped.output.getvalue().split("\n\n", 1)[1]
    assert NO_COLOUR.sub("", live.output.getvalue()).replace("\r", "").endswith(summary)


def test_a_run_without_changes_says_so_for_every_node() -> None:
    name = NodeName("hv01")
    events: list[Event] = [
        RunStarted("r", "i", "apply", ("hv01",), 1, {}),
        NodeDone(name, 0, 0, 6),
        RunFinished("r", 0, 1, 0, 0, 0),
    ]
    shown = Shown(is_terminal=False)
    shown.feed([Recorded("r", number, STREAM[0].time, event) for number, event in enumerate(events, 1)])
    shown.reporter.close()
    assert "hv01  done  0 changed  0 reboots  6 checks  0.0 s\n" in shown.output.getvalue()
    assert "1 node: 1 done · 0 with changes · 0 reboots · 0.0 s\n" in shown.output.getvalue()


def test_a_run_that_only_checks_counts_neither_changes_nor_reboots() -> None:
    events: list[Event] = [
        RunStarted("r", "i", "verify", ("hv01",), 1, {}),
        NodeDone(NodeName("hv01"), 0, 0, 6),
        RunFinished("r", 0, 1, 0, 0, 0),
    ]
    shown = Shown(is_terminal=False)
    shown.feed([Recorded("r", number, STREAM[0].time, event) for number, event in enumerate(events, 1)])
    shown.reporter.close()
    assert "hv01  done  6 checks  0.0 s\n" in shown.output.getvalue()
    assert "1 node: 1 done · 0.0 s\n" in shown.output.getvalue()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_text_of_nodes_cannot_steer_the_terminal_nor_be_taken_for_markup(is_terminal: Any) -> None:
    shown = Shown(is_terminal=is_terminal)
    hostile = "[red]x[/red] \x1b]0;owned\x07 \x9b2J \u202eevil :smile:\nsecond"
    events: list[Event] = [
        RunStarted("r", "i", "apply", ("hv01",), 1, {}),
        ResourceProgress(NodeName("hv01"), "[a]b", "Warning", hostile),
    ]
    shown.feed([Recorded("r", number, STREAM[0].time, event) for number, event in enumerate(events, 1)])
    text = shown.frame() if is_terminal else shown.output.getvalue()
    assert "[red]x[/red]" in text
    assert ":smile: second" in text
    for bad in ("\x1b]", "\x07", "\x9b", "\u202e"):
        assert bad not in text


@pytest.mark.parametrize("by", ["option", "environment"])
def test_no_colour_means_none(by: Any, monkeypatch: Any) -> None:
    if by == "environment":
        monkeypatch.setenv("NO_COLOR", "1")
    shown = Shown(is_terminal=True, colour=by != "option").feed()
    shown.reporter.close()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown.output.getvalue())


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    shown = Shown(is_terminal=True).feed()
    assert threading.active_count() == before + 1
    shown.reporter.close()
    assert threading.active_count() == before


def test_a_pause_clears_the_live_view_and_brings_it_back() -> None:
    shown = Shown(is_terminal=True).feed(until_s=2)
    with shown.reporter.paused():
        during = threading.active_count()
    assert threading.active_count() == during + 1
    shown.reporter.close()
    assert threading.active_count() == during


def test_a_pause_without_a_live_view_does_nothing() -> None:
    with Shown(is_terminal=False).reporter.paused():
        pass


def test_a_run_that_never_began_prints_nothing() -> None:
    shown = Shown(is_terminal=False)
    shown.reporter.close()
    assert shown.output.getvalue() == ""


def test_a_run_cut_off_before_its_end_says_that_it_goes_on() -> None:
    shown = Shown(is_terminal=False).feed(until_s=50)
    shown.reporter.close()
    assert shown.output.getvalue().endswith("the same command goes on from here\n")


def test_a_reader_that_goes_away_does_not_end_the_run() -> None:
    reading, writing = os.pipe()
    with open(writing, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor, not a path
        reporter = TerminalReporter(stream, now=lambda: START)
        os.close(reading)
        for recorded in STREAM:
            reporter.handle(recorded)
        reporter.close()
