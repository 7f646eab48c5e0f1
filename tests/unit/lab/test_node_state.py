"""The files of a node: long texts in pieces, each as it was before a change or after it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.control import LabError
from provisioner.lab.node_state import NodeState
from tests.unit.lab.machines import machine

LONG = "".join(random.Random(5).choices("abcdefghij", k=100_000))


def state(folder: Path) -> NodeState:
    made = NodeState(folder, "hv01")
    made.read()
    made.begin()
    return made


def pieces(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in (folder / "pieces").glob("*")}


def test_a_long_text_is_read_as_it_was_written_and_a_short_one_stands_in_its_part(tmp_path: Path) -> None:
    parts: dict[str, Any] = {
        "files": {"changed": [{"path": "a", "content": LONG}, {"path": "b", "content": "x"}]}
    }
    state(tmp_path).write(parts)
    assert len((tmp_path / "state" / "files.json").read_text(encoding="utf-8")) < 1000
    assert state(tmp_path).read() == parts


def test_a_text_that_grows_costs_its_end_and_leaves_nothing_behind(tmp_path: Path) -> None:
    made = state(tmp_path)
    made.write({"files": [LONG]})
    before = pieces(tmp_path)
    made.write({"files": [LONG + "more"]})
    after = pieces(tmp_path)
    assert len(after) == len(before)
    assert len(after.items() - before.items()) == 1
    made.write({"files": []})
    assert pieces(tmp_path) == {}


def test_texts_that_are_alike_share_their_pieces_until_the_last_goes(tmp_path: Path) -> None:
    made = state(tmp_path)
    made.write({"files": [LONG, LONG + "x"], "areas": LONG})
    made.write({"files": ["short"]})
    assert state(tmp_path).read() == {"areas": LONG, "files": ["short"]}


def test_what_the_lab_began_with_stays_whole_while_the_present_changes(tmp_path: Path) -> None:
    state(tmp_path).write({"files": [LONG]})
    made = state(tmp_path)
    made.write({"files": [LONG[::-1]]})
    made.write({"files": ["short"]})
    assert made.read_before() == {"files": [LONG]}
    assert state(tmp_path).read() == {"files": ["short"]}
    assert pieces(tmp_path) == {}


def test_a_kill_between_the_pieces_and_their_part_leaves_the_part_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = state(tmp_path)
    made.write({"files": [LONG]})

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            made.write({"files": [LONG[::-1]]})
    assert len(pieces(tmp_path)) == 14
    again = state(tmp_path)
    assert again.read() == {"files": [LONG]}
    assert len(pieces(tmp_path)) == 7


def test_a_piece_cut_short_by_a_kill_is_written_again(tmp_path: Path) -> None:
    state(tmp_path).write({"files": [LONG]})
    for path in (tmp_path / "pieces").iterdir():
        path.write_bytes(b"half")
    (tmp_path / "state" / "files.json").unlink()
    state(tmp_path).write({"files": [LONG]})
    assert state(tmp_path).read() == {"files": [LONG]}


def test_a_piece_that_is_gone_is_a_damaged_state(tmp_path: Path) -> None:
    state(tmp_path).write({"files": [LONG]})
    next((tmp_path / "pieces").iterdir()).unlink()
    with pytest.raises(LabError, match=r"node 'hv01'.*damaged.*files\.json"):
        NodeState(tmp_path, "hv01").read()


def test_the_plain_form_of_a_disk_is_that_of_its_files_whenever_it_is_asked_for() -> None:
    files = machine().files
    files.write(r"C:\a.txt", b"1")
    first = json.dumps(files.to_plain())
    files.write(r"C:\b.txt", b"2")
    files.write(r"C:\a.txt", b"3")
    files.remove(r"C:\b.txt")
    again = machine().files
    again.load(json.loads(json.dumps(files.to_plain())))
    assert (again.read(r"C:\a.txt"), again.is_file(r"C:\b.txt")) == (b"3", False)
    assert json.dumps(files.to_plain()) != first


def test_pieces_of_a_state_that_nobody_read_survive_the_start(tmp_path: Path) -> None:
    text = "x" * 40_000
    NodeState(tmp_path, "n").write({"lcm": {"log": text}})
    again = NodeState(tmp_path, "n")
    again.begin()
    assert NodeState(tmp_path, "n").read() == {"lcm": {"log": text}}
