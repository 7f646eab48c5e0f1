"""How faults and scenarios are written: what is read, what is refused and where, and what the page says of them."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner import documents
from provisioner.cli.app import main
from provisioner.diagnostics import Diagnostics, SourceFile
from provisioner.lab.faults.base import Planned, When
from provisioner.lab.faults.network import Drop, Latency
from provisioner.lab.faults.reader import from_plain, read_fault, read_words
from provisioner.lab.faults.registry import KINDS
from provisioner.lab.faults.resources import is_meant
from provisioner.lab.faults.scenario import Scenario, drawn, read_scenario
from provisioner.lab.hosting.running import RunningLab
from provisioner.lab.spec import read_node_spec

ROOT = Path(__file__).resolve().parents[2]


def _tree(text: str) -> documents.Tree:
    tree, problems = documents.parse(text, SourceFile("f.yaml", text))
    assert tree is not None, problems.rendered()
    return tree


def _scenario(text: str) -> tuple[Scenario | None, list[str]]:
    problems = Diagnostics()
    found = read_scenario(_tree(text), problems)
    return found, problems.rendered()


# -- the page ----------------------------------------------------------------------------------------------


def test_the_page_has_each_kind_with_its_parameters() -> None:
    text = (ROOT / "docs/lab-faults.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \| [^|]+ \| [^|]+ \|$", text, re.MULTILINE)
    told = {kind: tuple(re.findall(r"`(\w+)`", parameters)) for kind, parameters in rows}
    assert told == {
        word: tuple(item.name for item in dataclasses.fields(kind)) for word, kind in KINDS.items()
    }


def test_each_kind_reads_each_of_its_parameters() -> None:
    for kind in KINDS.values():
        assert set(kind.readers) == {item.name for item in dataclasses.fields(kind)}, kind


def test_the_faults_of_the_page_are_read() -> None:
    text = (ROOT / "docs/lab-faults.md").read_text(encoding="utf-8")
    for line in re.findall(
        r"^provision lab fault \w+ ([a-z][a-z-]+) ([^-#\n][^#\n]*?) *(?:#.*)?$", text, re.MULTILINE
    ):
        _, problems = read_words(line[0], line[1].split())
        assert not problems.has_errors, problems.rendered()
    (scenario,) = re.findall(r"```yaml\n(scenario: .*?)```", text, re.DOTALL)
    found, problems_of_it = _scenario(scenario)
    assert found is not None, problems_of_it
    (section,) = re.findall(r"```yaml\n(lab:.*?)```", text, re.DOTALL)
    lab = _tree(section)
    assert isinstance(lab, documents.Mapping)
    inner = lab.get("lab")
    assert inner is not None
    spec, problems = read_node_spec(
        name="hv01", address="127.0.0.1", port=5985, user="u", nt_hash=b"", lab_trees=[inner]
    )
    assert not problems.has_errors, problems.rendered()
    assert [planned.fault.kind for planned in spec.faults] == ["slow-reboot", "resource-fails"]


# -- reading -----------------------------------------------------------------------------------------------


def test_words_of_a_command_line_are_read() -> None:
    found, problems = read_words(
        "drop", ["message=3", "direction=ANSWER", "after.messages=2", "for=1.5", "times=4"]
    )
    assert problems.rendered() == []
    assert found == Planned(Drop(message=3, direction="answer"), When(2, 0.0, 1.5, 4))
    assert str(found) == "drop message=3 direction=answer after.messages=2 for=1.5 times=4"


@pytest.mark.parametrize("word", KINDS)
def test_a_fault_survives_being_sent(word: str) -> None:
    needed = {
        "seconds": 2.5,
        "bytes_per_s": 9,
        "status": 503,
        "address": "127.9.9.9",
        "resource": "[A]b*",
        "module": "x*",
    }
    plain = {"kind": word} | {name: needed[name] for name in KINDS[word].required}
    planned = from_plain({**plain, "after": {"messages": 1, "seconds": 2.0}, "times": 3})
    assert from_plain(json.loads(json.dumps(planned.to_plain()))) == planned


@pytest.mark.parametrize(
    ("words", "place", "text"),
    [
        ("latencyy seconds=1", "1:1", "'latencyy' is no kind of fault"),
        ("latency second=1", "1:9", "'second' is not a setting here"),
        ("latency seconds=-1", "1:17", "This has to be a number, 0 or more"),
        ("latency", "1:1", "'latency' needs 'seconds'"),
        ("latency seconds", "1:9", "'seconds' is no parameter"),
        ("http-error status=404", "1:19", "'404' is none of 401, 500, 503"),
        ("drop message=0", "1:6", "'message' counts from 1"),
        ("drop message=1 byte=2", "1:16", "at a message or at a byte, not at both"),
        ("restart for=3", "1:9", "over as soon as it has happened"),
        ("cut times=0", "1:5", "happens no times"),
        ("new-address address=10.0.0.1", "1:21", "no address a simulated node can have"),
        ("disk-full volume=CD", "1:18", "no drive letter"),
        ("cut after.message=3", "1:11", "'message' is not a setting here"),
    ],
)
def test_a_wrong_fault_is_told_with_its_place(words: str, place: str, text: str) -> None:
    kind, *rest = words.split()
    found, problems = read_words(kind, rest)
    assert found is None
    shown = "\n".join(problems.rendered())
    assert f"command line:{place}: error" in shown
    assert text in shown


def test_a_near_miss_gets_a_suggestion() -> None:
    shown = "\n".join(read_words("half-opn", [])[1].rendered())
    assert "Did you mean 'half-open'?" in shown


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"),
    [
        ("[File]a*", "[file]ABC", True),
        ("[File]a*", "[File]b", False),
        ("File", "[File]a", True),
        ("Fil?", "[File]a", True),
        ("File", "[FileX]a", False),
        ("*", "[File]a", True),
        ("[F*]a", "[File]a", True),
        ("[File]*", "F", False),
    ],
)
def test_resources_are_meant_by_id_or_type(pattern: str, resource: str, *, expected: bool) -> None:
    assert is_meant(pattern, resource) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("faults: 3", "This has to be a list"),
        ("faults: [3]", "A fault is a mapping"),
        ("faults: [{seconds: 3}]", "kind of the fault is missing"),
        ("faults: [{kind: latency, seconds: x}]", "f.yaml:1:35"),
    ],
)
def test_a_wrong_fault_of_an_inventory_is_told(text: str, expected: str) -> None:
    _, problems = read_node_spec(
        name="n", address="127.0.0.1", port=1, user="u", nt_hash=b"", lab_trees=[_tree(text)]
    )
    assert expected in "\n".join(problems.rendered())


# -- scenarios ---------------------------------------------------------------------------------------------

STORM = """\
scenario: storm
seed: 7
steps:
  - {at: 0, nodes: {random: 3 of hv*}, fault: {kind: latency, seconds: 0.2}}
  - {on: {event: command, node: hv1, nth: 2}, fault: {kind: cut}}
"""


def test_chance_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    scenario, problems = _scenario(STORM)
    assert scenario is not None, problems
    names = [f"hv{number}" for number in range(30)] + ["st1"]
    found = [drawn(scenario, order, Diagnostics()) for order in (names, names[::-1])]
    assert found[0] == found[1]
    chosen = found[0].steps[0].targets.patterns
    assert len(chosen) == 3
    assert all(name.startswith("hv") for name in chosen)
    other = dataclasses.replace(scenario, seed=8)
    assert drawn(other, names, Diagnostics()).steps[0].targets.patterns != chosen
    assert found[0].steps[1].targets.patterns == ("hv1",)


def test_a_drawn_scenario_is_a_scenario_again() -> None:
    scenario, _ = _scenario(STORM)
    assert scenario is not None
    named = drawn(scenario, [f"hv{number}" for number in range(9)], Diagnostics())
    again, problems = _scenario(documents.dump(named.to_plain()))
    assert again == named, problems


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("at: 0, ", "", "either 'at' or 'on'"),
        ("3 of hv*", "three", "says not how many"),
        ("fault: {kind: cut}", "fault: {kind: cut}, clear: all", "either 'fault' or 'clear'"),
        ("event: command", "event: comand", "Did you mean 'command'?"),
        ("kind: cut", "kind: cat", "f.yaml:5:61"),
        ("seed: 7", "seeds: 7", "Did you mean 'seed'?"),
    ],
)
def test_a_wrong_scenario_is_told_with_its_place(old: str, new: str, expected: str) -> None:
    found, problems = _scenario(STORM.replace(old, new))
    assert found is None
    assert expected in "\n".join(problems)


def test_nodes_that_are_not_there_are_told() -> None:
    scenario, _ = _scenario(STORM)
    assert scenario is not None
    problems = Diagnostics()
    drawn(scenario, ["st1", "hv2"], problems)
    shown = "\n".join(problems.rendered())
    assert "3 nodes cannot be drawn from 1" in shown
    assert "No node is called 'hv1'" in shown


# -- a running lab -----------------------------------------------------------------------------------------


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningLab]:
    monkeypatch.setenv("PROVISIONER_LAB_HOME", str(tmp_path))
    running = RunningLab(tmp_path / "words", 3, {})
    yield running
    running.stop()


def _provision(*words: str, capsys: Any) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["lab", *words], prog_name="provision")
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out + err


def test_faults_are_injected_listed_and_cleared_by_hand(lab: RunningLab, capsys: Any) -> None:
    assert _provision("fault", "node01", "latency", "seconds=0.5", capsys=capsys) == (
        0,
        "node01: latency seconds=0.5\n",
    )
    assert _provision("fault", "node02", "cut", "after.seconds=60", capsys=capsys)[0] == 0
    code, text = _provision("fault", "--list", capsys=capsys)
    assert text == "node01: latency seconds=0.5\nnode02: cut after.seconds=60.0 (waiting)\n"
    assert "fault: latency seconds=0.5" in _provision("show", "node01", capsys=capsys)[1]
    assert "latency seconds=0.5" in _provision("status", capsys=capsys)[1]
    assert _provision("fault", "node01", "--clear", "cut", capsys=capsys) == (
        0,
        "0 faults of node01 ended.\n",
    )
    assert _provision("fault", "node01", "--clear", capsys=capsys) == (0, "1 fault of node01 ended.\n")
    assert _provision("fault", "--kinds", capsys=capsys)[1].count("\n") > len(KINDS)
    code, text = _provision("fault", "node01", "latenzy", capsys=capsys)
    assert code in {1, 2}
    assert "Did you mean 'latency'?" in text
    code, text = _provision("fault", "node01", "certificate", capsys=capsys)
    assert code
    assert "has no HTTPS" in text
    code, text = _provision("fault", "node9", "cut", capsys=capsys)
    assert "no node 'node9'" in text


def test_a_scenario_is_played_and_leaves_what_was_done(lab: RunningLab, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "scenario: a storm\nsteps:\n"
        "  - {at: 0, nodes: {random: 2 of node*}, fault: {kind: latency, seconds: 0.1}}\n"
        "  - {on: {event: command, node: node03, nth: 2}, fault: {kind: cut}}\n"
        "  - {at: 0.6, nodes: 'node0?', clear: all}\n",
        encoding="utf-8",
    )
    code, text = _provision("scenario", str(file), capsys=capsys)
    assert code == 0, text
    time.sleep(0.2)
    assert sum(bool(node.show()["faults"]) for node in lab) == 2
    lab["node03"].run("Get-Date")
    assert "cut" not in lab["node03"].show()["faults"]
    lab["node03"].run("Get-Date")
    assert "cut" in lab["node03"].show()["faults"]
    time.sleep(0.7)
    assert [node.show()["faults"] for node in lab] == [[], [], []]
    record = (lab.folder / "scenarios" / "a-storm.jsonl").read_text(encoding="utf-8").splitlines()
    done = [json.loads(line) for line in record]
    assert [(entry["step"], entry["done"]) for entry in done] == [
        (1, "fault latency seconds=0.1"),
        (1, "fault latency seconds=0.1"),
        (2, "fault cut"),
        *[(3, "clear all")] * 3,
    ]
    played = lab.folder / "scenarios" / "a-storm.yaml"
    again = _tree(played.read_text(encoding="utf-8"))
    found = read_scenario(again, Diagnostics())
    assert found is not None
    assert list(found.steps[0].targets.patterns) == [entry["node"] for entry in done[:2]]
    copy = tmp_path / "again.yaml"
    copy.write_bytes(played.read_bytes())
    assert _provision("scenario", str(copy), capsys=capsys)[0] == 0
    time.sleep(0.2)
    repeated = [json.loads(line) for line in played.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    assert [entry["node"] for entry in repeated] == [entry["node"] for entry in done[:2]]


def test_a_node_without_faults_asks_nobody(lab: RunningLab) -> None:
    node = lab["node01"]
    node.fault("latency", seconds=0.0)
    node.clear()
    assert read_fault(_tree("{kind: latency, seconds: 0}"), Diagnostics()) == Planned(Latency())
    assert node.show()["faults"] == []
