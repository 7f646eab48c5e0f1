"""What `provision compile` tells: what was made, what was there, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from tests.unit.project.fleets import FILES, many_nodes, write_files


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def provision(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_a_second_compile_says_what_was_unchanged_and_why_the_rest_was_not(tmp_path: Path) -> None:
    write_files(tmp_path)
    first = provision("compile", "inventory.yaml", "-o", "out")
    assert first.exit_code == 0, first.output
    assert "  e1                2 resources  out/e1.mof\n" in first.stdout
    second = provision("compile", "inventory.yaml", "-o", "out")
    assert second.stdout.splitlines()[-1].endswith("(0 compiled, 4 unchanged).")
    write_files(tmp_path, {"inventory.yaml": FILES["inventory.yaml"].replace("8080", "8081")})
    third = provision("compile", "inventory.yaml", "-o", "out")
    assert "  w1                4 resources  out/w1.mof  (node changed)\n" in third.stdout
    assert "  w2                4 resources  out/w2.mof\n" in third.stdout
    assert third.stdout.splitlines()[-1].endswith("(1 compiled, 3 unchanged).")


def test_json_tells_of_every_node_whether_it_was_there_and_why_not(tmp_path: Path) -> None:
    write_files(tmp_path)
    provision("compile", "inventory.yaml", "-o", "out", "--limit", "e1")
    told = provision("compile", "inventory.yaml", "-o", "out", "--json")
    nodes = {line["node"]: line for line in map(json.loads, told.stdout.splitlines())}
    assert nodes["e1"]["cached"] is True
    assert nodes["e1"]["because"] == []
    assert nodes["e2"]["cached"] is False
    assert nodes["e2"]["because"] == ["it was not compiled here before"]
    assert set(nodes["e2"]["files"]) == {"out/e2.mof", "out/e2.meta.mof"}
    assert nodes["e2"]["files"]["out/e2.mof"] == nodes["e2"]["sha256"]


def test_several_formats_lie_side_by_side(tmp_path: Path) -> None:
    write_files(tmp_path)
    done = provision("compile", "inventory.yaml", "-o", "out", "--format", "ps1,dsc3-yaml", "--format", "mof")
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").glob("e1.*")}
    assert names == {"e1.mof", "e1.meta.mof", "e1.ps1", "e1.dsc.config.yaml"}
    alone = provision("compile", "inventory.yaml", "-o", "one", "--format", "dsc3-json", "--json")
    assert {path.name for path in (tmp_path / "one").glob("e1.*")} == {"e1.dsc.config.json"}
    assert "document" not in json.loads(alone.stdout.splitlines()[0])


@pytest.mark.parametrize("word", ["", "mfo", "mof,", "MOF"])
def test_a_format_nobody_knows_is_refused_before_anything_is_done(tmp_path: Path, word: str) -> None:
    write_files(tmp_path)
    done = provision("compile", "inventory.yaml", "-o", "out", "--format", word)
    assert done.exit_code == 2
    assert "dsc3-json" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_node_that_may_restart_is_said_to(tmp_path: Path) -> None:
    feature = (
        "  - {name: hv, type: PSDscResources/WindowsFeature, properties: {Name: Hyper-V, Ensure: Present}}\n"
    )
    write_files(
        tmp_path, {**FILES, "dsc_configs/base.dsc.yaml": FILES["dsc_configs/base.dsc.yaml"] + feature}
    )
    done = provision("compile", "inventory.yaml", "-o", "out", "--limit", "e1")
    assert "(may restart)" in done.stdout
    told = json.loads(provision("compile", "inventory.yaml", "-o", "out", "--limit", "e1", "--json").stdout)
    assert told["expects_reboot"] == ["[WindowsFeature]hv"]
    assert told["cached"] is True


def test_a_long_list_is_left_to_json(tmp_path: Path) -> None:
    many_nodes(tmp_path, 60)
    done = provision("compile", "inventory.yaml", "-o", "out")
    assert len(done.stdout.splitlines()) == 1
    assert len(provision("compile", "inventory.yaml", "-o", "out", "--json").stdout.splitlines()) == 60


def test_a_node_nothing_is_done_to_is_counted_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text(
        "site: x\nconnection: {user: u, password: env:P}\nnodes: {n1: {}}\n"
    )
    done = provision("validate", "inventory.yaml")
    assert "Node has no role" in done.stderr
    assert done.stdout == "inventory.yaml: 1 node, 0 resources, no errors.\n"


def test_validate_shares_the_work_and_writes_nothing(tmp_path: Path) -> None:
    many_nodes(tmp_path, 60)
    before = sorted(tmp_path.rglob("*"))
    for jobs in ("1", "2"):
        done = provision("validate", "inventory.yaml", "--jobs", jobs)
        assert done.stdout == "inventory.yaml: 60 nodes, 160 resources, no errors.\n"
    assert sorted(tmp_path.rglob("*")) == before
