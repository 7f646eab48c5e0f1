"""The file of meters of the role ceilometer_agent is taken by Ceilometer's own code, and what that refuses is refused."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compiling import REPOSITORY, compile_project, write
from upkeep.options.environments import NoEnvironment, python_of
from upkeep.options.recipes import RECIPES, Recipe

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_WITNESS = Path(__file__).with_name("meters_witness.py")
_CASE = REPOSITORY / "tests/cases/roles/ceilometer_agent.yml"
_RELEASES = [recipe for recipe in RECIPES if recipe.service == "ceilometer"]
_ALL = [
    "cpu",
    "disk.device.iops",
    "disk.device.latency",
    "disk.device.read.bytes",
    "disk.device.write.bytes",
    "memory.usage",
    "network.incoming.bytes",
    "network.outgoing.bytes",
]


def compiled(meters: list[str] | None, folder: Path) -> tuple[str, list[str]]:
    """Give the text of polling.yaml that a node gets, and what was said instead."""
    (case,) = yaml.safe_load(_CASE.read_text(encoding="utf-8"))
    variables = case["variables"] | ({} if meters is None else {"ceilometer_meters": meters})
    node = {"address": "192.0.2.1", "roles": ["ceilometer_agent"], "variables": variables}
    inventory: dict[str, Any] = {
        "site": "test",
        "connection": {"transport": "psrp", "user": "admin", "password": "env:PASSWORD"},
        "encryption": {"certificate": "certificates/"},
        "nodes": {"n1": node},
    }
    write(folder, {"inventory.yaml": yaml.safe_dump(inventory)})
    configurations, problems = compile_project(folder, [REPOSITORY])
    if problems:
        return "", [problem.render() for problem in problems]
    texts = [
        item.properties["Contents"]
        for item in configurations["n1"].resources
        if item.id.name == "polling.yaml"
    ]
    return str(texts[0]), []


def verdict_of(recipe: Recipe, text: str, folder: Path) -> dict[str, Any]:
    try:
        python = python_of(recipe)
    except NoEnvironment as error:
        pytest.skip(f"no environment for {recipe.service} {recipe.release}: {error}")
    path = folder / "polling.yaml"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([python, "-I", _WITNESS, path], capture_output=True, text=True, check=True)
    verdict: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return verdict


@pytest.mark.parametrize("recipe", _RELEASES, ids=lambda recipe: recipe.release)
@pytest.mark.parametrize(
    ("meters", "polled"),
    [
        (None, _ALL),
        (["cpu"], ["cpu"]),
        (["network.*.bytes"], ["network.incoming.bytes", "network.outgoing.bytes"]),
    ],
)
def test_ceilometer_polls_what_the_file_names(
    meters: list[str] | None,
    polled: list[str],
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    text, said = compiled(meters, tmp_path)
    assert said == []
    assert verdict_of(recipe, text, tmp_path) == {"meters": polled, "unknown": []}


@pytest.mark.parametrize("meters", [["*", "!disk.*"], ["!disk.*"]])
def test_all_but_some_are_polled(meters: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, said = compiled(meters, tmp_path)
    assert said == []
    polled = verdict_of(_RELEASES[0], text, tmp_path)["meters"]
    assert "network.incoming.bytes" in polled
    assert "disk.device.iops" not in polled


@pytest.mark.parametrize("meters", [[], ["cpu", "!disk.*"], ["*", "cpu"]])
def test_what_ceilometer_does_not_start_with_is_refused(
    meters: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = yaml.safe_dump({"sources": [{"name": "hyperv", "interval": 300, "meters": meters}]})
    assert "PollingException" in verdict_of(_RELEASES[0], text, tmp_path)["error"]
    assert "does not start" in "\n".join(compiled(meters, tmp_path)[1])


def test_without_the_file_ceilometer_does_not_start(tmp_path: Path) -> None:
    text = yaml.safe_dump({"sources": []})
    assert "FileNotFoundError" not in verdict_of(_RELEASES[0], text, tmp_path).get("error", "")
    done = subprocess.run(
        [python_of(_RELEASES[0]), "-I", _WITNESS, "polling.yaml"],
        capture_output=True,
        text=True,
        check=True,
        cwd=_WITNESS.parent,
    )
    assert "FileNotFoundError" in done.stdout
