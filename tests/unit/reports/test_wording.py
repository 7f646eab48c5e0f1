from __future__ import annotations

from typing import Any

import pytest

from provisioner import events
from provisioner.events import NodeEvent, NodeFailed, Problem
from provisioner.reports.wording import (
    clean,
    count,
    duration,
    first_line,
    is_important,
    listed,
    problem_lines,
    step,
)
from tests.unit.reports.stream import HV01, STREAM


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("  two\r\n   lines\n", "two lines"),
        ("a\tb", "a b"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b", r"\x9b"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u2028b", r"a\u2028b"),
        ("Größe ✓", "Größe ✓"),
    ],
)
def test_text_comes_out_on_one_line_without_control_characters(text: Any, expected: Any) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1, "0.0 s"),
        (0, "0.0 s"),
        (1.25, "1.2 s"),
        (9.99, "10.0 s"),
        (41.4, "41 s"),
        (59.6, "1 min 00 s"),
        (372, "6 min 12 s"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_read_as_people_say_them(seconds: Any, expected: Any) -> None:
    assert duration(seconds) == expected


def test_counts_agree_with_their_noun() -> None:
    assert [count(number, "reboot") for number in (0, 1, 2)] == ["0 reboots", "1 reboot", "2 reboots"]


def test_long_lists_are_counted() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_every_event_of_a_node_has_words() -> None:
    shown = {type(recorded.event) for recorded in STREAM if isinstance(recorded.event, NodeEvent)}
    assert shown == {kind for kind in events.Event.__args__ if issubclass(kind, NodeEvent)}
    assert all(step(recorded.event) for recorded in STREAM if isinstance(recorded.event, NodeEvent))


def test_a_comparison_that_broke_off_claims_nothing_about_the_others() -> None:
    event = events.Compared(HV01, ("[xVMSwitch]x",), 0, error="Get-VMSwitch is\nunknown")
    assert step(event) == "cannot be compared yet (Get-VMSwitch is unknown), so everything is pushed"


def test_a_broken_comparison_shows_what_the_resource_said_and_not_its_wrapping() -> None:
    error = (
        "TestConfiguration: PowerShell DSC resource MSFT_xVMSwitch  failed to execute Test-TargetResource "
        "functionality with error message: System.Exception: Please ensure that the Hyper-V role is installed. "
        "More text."
    )
    said = step(events.Compared(HV01, ("[xVMSwitch]external",), 0, error=error))
    assert (
        said
        == "cannot be compared yet (Please ensure that the Hyper-V role is installed), so everything is pushed"
    )


def test_failures_and_reboots_are_important_and_tests_of_resources_are_not() -> None:
    important = {
        type(item.event).__name__
        for item in STREAM
        if isinstance(item.event, NodeEvent) and is_important(item.event)
    }
    assert {"NodeFailed", "RebootStarted", "JobFinished", "ConnectionLost"} <= important
    assert not is_important(events.ResourceProgress(HV01, "[a]b", "Test"))


def test_a_problem_shows_resource_position_ids_and_help() -> None:
    problem = Problem("m", "[a]b", "f.yaml:1:2", "Id", "Category", "do this")
    assert problem_lines(problem) == ["[a]b  f.yaml:1:2", "m [Id, Category]", "help: do this"]
    assert problem_lines(Problem("m")) == ["m"]


def test_the_line_of_a_failure_counts_what_it_does_not_show() -> None:
    assert first_line(NodeFailed(HV01, "K", (Problem("m", "[a]b"), Problem("n")))) == "[a]b: m (and 1 more)"
    assert first_line(NodeFailed(HV01, "K", ())) == "K"
