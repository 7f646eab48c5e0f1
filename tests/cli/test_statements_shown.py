"""What roles and inventories say of order, undoing and fields, as the command shows it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from provisioner.cli.app import main
from tests.compiling import write

INVENTORY = """\
site: lab
connection: {user: provisioner, password: env:PASSWORD}
groups:
  storage: {roles: [base]}
  compute: {roles: [base], after: [storage], decommission: [gone]}
nodes:
  st01: {address: 192.0.2.1, groups: [storage]}
  hv01:
    address: 192.0.2.2
    groups: [compute]
    after: [st01]
    variables: {disks: [{path: a, chap: 'env:CHAP'}, {path: b, chap: canary, chapp: canary}]}
  hv02: {address: 192.0.2.3, groups: [compute], variables: {title: 5, disks: [{path: c, chap: canary}]}}
"""
FILES = {
    "inventory.yaml": INVENTORY,
    "roles/base/role.yaml": """\
description: x
variables:
  title: {type: string, default: x, description: x}
  disks:
    type: list
    items: mapping
    merge: deep
    default: []
    description: x
    fields: {path: {type: string, description: x}, chap: {type: secret, description: x}}
""",
    "roles/gone/role.yaml": "description: x\ndecommission: {leaves: [All of it.]}\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, FILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).output


def test_explain_says_who_asks_for_an_order_and_for_undoing() -> None:
    lines = [json.loads(line) for line in output("explain", "inventory.yaml", "hv01", "--json").splitlines()]
    found = {
        (each["section"], each["path"]): (each["layer"], each["where"]["line"])
        for each in lines
        if each["section"] in {"after", "decommission"}
    }
    assert found == {
        ("decommission", "gone"): ("group compute", 5),
        ("after", "storage"): ("group compute", 5),
        ("after", "st01"): ("node hv01", 11),
    }


def test_explain_shows_references_in_fields_and_hides_all_else_that_stands_there() -> None:
    for path in ("", "disks", "disks.1", "disks.1.chap", "variables"):
        said = output("explain", "inventory.yaml", "hv01", path)
        assert "canary" not in said
    assert "env:CHAP" in output("explain", "inventory.yaml", "hv01", "disks")
    assert "path = b" in output("explain", "inventory.yaml", "hv01", "disks") or '"path": "b"' in output(
        "explain", "inventory.yaml", "hv01", "disks"
    )


def test_the_picture_shows_who_comes_first() -> None:
    assert "@compute (after @storage)" in output("inventory", "graph", "inventory.yaml")
    assert "hv01 (after st01)" in output("inventory", "graph", "inventory.yaml")
    assert '"@compute" -> "@storage" [style=dashed' in output("inventory", "graph", "inventory.yaml", "--dot")
    assert "-. after .->" in output("inventory", "graph", "inventory.yaml", "--mermaid")
    assert "after" not in output("inventory", "graph", "inventory.yaml", "--limit", "hv02")


def test_show_lists_them() -> None:
    [line] = output("inventory", "show", "inventory.yaml", "hv01", "--json").splitlines()
    found = json.loads(line)
    assert (found["after"], found["decommission"]) == (["storage", "st01"], ["gone"])


def test_the_list_says_what_is_undone() -> None:
    lines = output("inventory", "list", "inventory.yaml").splitlines()
    assert [line for line in lines if line.endswith("base  undone: gone")] == lines[1:]
    assert json.loads(output("inventory", "list", "inventory.yaml", "--limit", "hv01", "--json"))[
        "decommission"
    ] == ["gone"]


@pytest.mark.parametrize("verb", [("validate",), ("compile", "-o", "out"), ("apply",)])
def test_a_secret_beside_another_mistake_in_its_line_is_not_quoted(verb: tuple[str, ...]) -> None:
    said = output(verb[0], "inventory.yaml", *verb[1:])
    assert re.search(r"inventory.yaml:13:\d+: error: Variable has the wrong type", said)
    assert "canary" not in said
