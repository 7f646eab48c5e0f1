"""``provision inventory list|show|graph``: what an inventory holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from provisioner.cli.app import main

INVENTORY = """\
site: lab
connection: {user: provisioner, password: env:PASSWORD}
encryption: {certificate: certificates}
groups:
  windows: {children: [compute, storage], roles: [base], management_adapter: Ethernet}
  compute: {variables: {a: 1}}
  storage: {children: [fast]}
  fast: {}
  canary: {children: [fast]}
  empty: {}
nodes:
  hv01: {groups: [compute, canary], address: 192.0.2.11, variables: {a: 2, db_password: canary-1, api: env:X}}
  hv02: {groups: [compute, windows]}
  st01: {groups: [fast]}
  alone: {roles: [base]}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    monkeypatch.chdir(tmp_path)


def run(verb: str, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["inventory", verb, "inventory.yaml", *arguments])
    assert result.exit_code == 0, result.output
    return result


def test_nodes_are_listed_with_what_they_are_in() -> None:
    assert (
        run("list").stdout
        == """\
hv01            192.0.2.11      windows,compute,canary base
hv02            hv02            windows,compute      base
st01            st01            windows,storage,canary,fast base
alone           alone           -                    base
"""
    )
    [only] = [
        json.loads(line) for line in run("list", "--limit", "@compute,!hv02", "--json").stdout.splitlines()
    ]
    assert only == {"node": "hv01", "address": "192.0.2.11", "groups": ["windows", "compute", "canary"], "roles": ["base"], "decommission": []}  # fmt: skip


def test_a_node_is_shown_as_what_it_comes_to() -> None:
    shown = yaml.safe_load(run("show", "hv01").stdout)["hv01"]
    assert shown["groups"] == ["windows", "compute", "canary"]
    assert shown["roles"] == ["base"]
    assert shown["encryption"] == {"certificate": "certificates"}
    assert shown["management_adapter"] == "Ethernet"
    assert shown["variables"] == {"a": 2, "db_password": "********", "api": "env:X"}
    assert shown["connection"]["password"] == "env:PASSWORD"
    assert shown["connection"]["port"] == 5985


def test_several_nodes_are_shown_one_to_a_line() -> None:
    lines = [json.loads(line) for line in run("show", "hv*", "--json").stdout.splitlines()]
    assert [line["node"] for line in lines] == ["hv01", "hv02"]


def test_groups_are_drawn_as_a_tree() -> None:
    assert (
        run("graph").stdout
        == """\
lab
├── @windows
│   ├── @compute
│   │   ├── hv01
│   │   └── hv02
│   └── @storage
│       └── @fast
│           └── st01
├── @canary
│   ├── @fast (see above)
│   └── hv01
├── @empty
└── alone
"""
    )


@pytest.mark.parametrize("limit", ["", " ", ",", " , "])
def test_a_limit_with_nothing_in_it_is_never_the_whole_fleet(limit: str) -> None:
    result = CliRunner().invoke(main, ["inventory", "list", "inventory.yaml", "--limit", limit])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "it names no node" in result.stderr


def test_a_limit_leaves_out_groups_without_a_node() -> None:
    assert (
        run("graph", "--limit", "st01").stdout
        == """\
lab
├── @windows
│   └── @storage
│       └── @fast
│           └── st01
└── @canary
    └── @fast (see above)
"""
    )


def test_groups_are_drawn_for_other_programs() -> None:
    dot = run("graph", "--dot", "--limit", "alone,hv02").stdout
    assert dot.splitlines() == [
        'digraph "lab" {',
        "  rankdir=LR;",
        '  "lab" [shape=house];',
        '  "@windows" [shape=folder];',
        '  "@compute" [shape=folder];',
        '  "lab" -> "@windows";',
        '  "lab" -> "alone";',
        '  "@windows" -> "@compute";',
        '  "@compute" -> "hv02";',
        "}",
    ]
    assert (
        run("graph", "--mermaid", "--limit", "alone").stdout
        == 'graph LR\n  n0["lab"]\n  n1["alone"]\n  n0 --> n1\n'
    )
    lines = [json.loads(line) for line in run("graph", "--json").stdout.splitlines()]
    assert {"group": "storage", "children": ["fast"], "nodes": []} in lines
    assert lines[-1] == {"group": None, "children": ["windows", "canary", "empty"], "nodes": ["alone"]}


@pytest.mark.parametrize("verb", ["list", "show", "graph"])
def test_a_broken_inventory_is_reported_like_everywhere(verb: str) -> None:
    Path("inventory.yaml").write_text("site: lab\nnodes: {a: {rolls: [x]}}\n")
    result = CliRunner().invoke(
        main, ["inventory", verb, "inventory.yaml", *(["a"] if verb == "show" else [])]
    )
    assert result.exit_code == 2
    assert "Did you mean 'roles'?" in result.stderr
    assert "Nothing was done." in result.stderr


def test_a_node_that_is_not_there_is_wrong_usage() -> None:
    result = CliRunner().invoke(main, ["inventory", "show", "inventory.yaml", "hv03"])
    assert result.exit_code == 2
    assert "Did you mean 'hv0" in result.stderr
