"""Mistakes that only a node can find fail as on Windows, and our report names the resource and its YAML line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.labs import running_lab

pytestmark = pytest.mark.slow

_FILE = Path(__file__).resolve().parents[1] / "cases" / "planted" / "domain_errors.yml"
_TABLE: dict[str, Any] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))

_INVENTORY = {
    "site": "planted",
    "connection": {"port": 15985, "user": "tester", "password": "file:.secrets/n01"},
    "nodes": {"n01": {"address": "127.20.0.1", "roles": ["planted"]}},
}


def _project(folder: Path, case: dict[str, Any]) -> None:
    """Write a role of the user's own with the case's resources."""
    role = folder / "roles" / "planted"
    role.mkdir(parents=True)
    head = {"description": "planted", "modules": _TABLE["modules"], "configurations": ["planted"]}
    (role / "role.yaml").write_text(yaml.safe_dump(head), encoding="utf-8")
    configurations = folder / "dsc_configs"
    configurations.mkdir()
    document = yaml.safe_dump({"resources": case["resources"]}, sort_keys=False)
    (configurations / "planted.dsc.yaml").write_text(document, encoding="utf-8")


@pytest.mark.parametrize("case", _TABLE["cases"], ids=[case["case"] for case in _TABLE["cases"]])
def test_a_planted_error_is_the_one_of_windows_and_is_reported_with_its_place(
    tmp_path: Path, case: dict[str, Any]
) -> None:
    _project(tmp_path, case)
    inventory = yaml.safe_dump(_INVENTORY | {"lab": case.get("lab", {})})
    with running_lab(tmp_path, inventory) as run:
        done = run.apply()
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        failures = run.journal("n01", "resource-failed")
        assert {entry["resource"] for entry in failures} == {case["resource"]}
        thrown = failures[-1]
        error_id = thrown["inner_error_id"] or thrown["error_id"]
        category = thrown["inner_category"] or thrown["category"]
        assert (error_id.split(",")[0], category) == (case["error_id"], case["category"])
        if "jobs" in case:
            assert run.count("n01", "job-started") == case["jobs"]
        document = (tmp_path / "dsc_configs" / "planted.dsc.yaml").read_text(encoding="utf-8")
        name = case["resource"].partition("]")[2]
        line = next(n for n, text in enumerate(document.splitlines(), 1) if f"name: {name}" in text)
        report = " ".join(done.stdout.split())
        assert case["resource"] in report
        assert f"planted.dsc.yaml:{line}:" in report
        assert case["says"] in report
