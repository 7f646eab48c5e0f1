"""The table of `provision lab status`: counts of all nodes, rows of those one wants to see."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.cli.lab.tables import is_in_state, overview
from provisioner.lab.hosting.running import RunningLab


def _node(name: str, **changes: Any) -> dict[str, Any]:
    node = {
        "name": name,
        "address": "127.0.0.9",
        "port": 5985,
        "state": "up",
        "lcm": "Idle",
        "boot_time": "2026-01-02T03:04:05+00:00",
        "specific": 0,
        "generic": 0,
        "unsimulated": 0,
        "faults": [],
        "shells_open": 0,
        "logons": 0,
        "cut": False,
    }
    return node | changes


def _lines(nodes: list[dict[str, Any]], *, is_whole: bool = False) -> list[str]:
    lab = {"lab": "mine", "pid": 7, "started": "2026-01-02T03:04:05+00:00", "folder": "/x", "nodes": nodes}
    return list(overview(lab, nodes, is_whole=is_whole))


def test_a_small_lab_is_listed_whole_below_one_header() -> None:
    lines = _lines([_node("a", specific=9, generic=2), _node("longer-name")])
    assert lines[1] == "  2 nodes: 2 up; LCM: 2 Idle"
    assert [line.split()[0] for line in lines[2:]] == ["NODE", "a", "longer-name"]
    assert lines[3].split()[4:6] == ["9", "2"]
    assert lines[4].split()[4:6] == ["-", "-"], "no document is not a document without resources"
    assert lines[2].index("ADDRESS") == lines[3].index("127.") == lines[4].index("127.")


def test_of_a_large_lab_the_nodes_at_rest_are_a_number() -> None:
    nodes = [_node(f"n{number:04}") for number in range(2000)]
    nodes[7] |= {"cut": True}
    nodes[8] |= {"lcm": "Busy"}
    nodes[9] |= {"faults": ["latency seconds=1"]}
    lines = _lines(nodes)
    assert lines[1] == "  2000 nodes: 1999 up, 1 cut; LCM: 1999 Idle, 1 Busy; with faults: 1"
    assert [line.split()[0] for line in lines[3:]] == ["n0007", "n0008", "n0009", "and"]
    assert "1997 at rest" in lines[-1]
    assert len(_lines(nodes, is_whole=True)) == 2003


def test_more_rows_than_a_screen_has_are_a_number_too() -> None:
    lines = _lines([_node(f"n{number}", lcm="Busy") for number in range(80)])
    assert len(lines) == 2 + 1 + 50 + 1
    assert "30 more" in lines[-1]


def test_a_list_without_a_node_says_so() -> None:
    lab = {"lab": "mine", "pid": 7, "started": "", "folder": "/x", "nodes": [_node("a")]}
    assert list(overview(lab, [], is_whole=True))[-1] == "  No node is in this state."


@pytest.mark.parametrize(
    ("changes", "states"),
    [
        ({}, {"up"}),
        ({"cut": True}, {"cut"}),
        ({"state": "restarting", "lcm": "PendingReboot"}, {"restarting", "pending"}),
        ({"lcm": "Busy", "faults": ["x"]}, {"up", "busy", "fault"}),
    ],
)
def test_a_node_is_in_its_states_only(changes: dict[str, Any], states: set[str]) -> None:
    node = _node("a", **changes)
    every = {"up", "restarting", "cut", "busy", "pending", "fault"}
    assert {state for state in every if is_in_state(node, state)} == states


def test_the_page_lists_the_fields_of_a_node(tmp_path: Path) -> None:
    """docs/json-lines.md has them all, and no other."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "json-lines.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]*) \|", page.partition("## The lab")[2], re.MULTILINE)
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    lab = RunningLab(tmp_path / "lab", 1, {})
    answered = lab.ask({"op": "status"})["nodes"][0]
    lab.stop()
    assert documented == answered.keys()
