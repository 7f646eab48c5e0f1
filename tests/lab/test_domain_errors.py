"""Mistakes that only a node can find fail as on Windows, and our report names the resource and its YAML line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.labs import running_lab
from tests.yaml_files import read_yaml

pytestmark = pytest.mark.slow

_FILE = Path(__file__).resolve().parents[1] / "cases" / "planted" / "domain_errors.yml"
_TABLE: dict[str, Any] = read_yaml(_FILE)

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


_SWITCH = {
    "name": "x",
    "type": "xHyper-V/xVMSwitch",
    "properties": {"Name": "external", "Type": "External", "NetAdapterName": "Ethernet 2"},
}
_FEATURES = [
    {"name": name, "type": "PSDscResources/WindowsFeature", "properties": {"Name": name, "Ensure": "Present"}}
    for name in ("Hyper-V-PowerShell", "Hyper-V")
]


def test_a_hyper_v_command_before_the_reboot_fails_as_on_windows(tmp_path: Path) -> None:
    """The feature waits for its reboot; a switch is asked for by somebody else's client, and by a document."""
    _project(tmp_path, {"resources": _FEATURES})
    with running_lab(tmp_path, yaml.safe_dump(_INVENTORY)) as run:
        waiting = run.provision("apply", str(run.inventory))
        assert waiting.returncode == 1, waiting.stdout + waiting.stderr
        assert run.count("n01", "boot") == 0

        (error,) = run.errors_of("n01", "tester", "Get-VMSwitch")
        assert error.fq_error == "ObjectNotFound,Microsoft.HyperV.PowerShell.Commands.GetVMSwitch"
        assert error.category == 13  # ObjectNotFound

        for folder in ["roles", "dsc_configs"]:
            shutil.rmtree(tmp_path / folder)
        _project(tmp_path, {"resources": [_SWITCH]})
        compiled = run.provision("compile", str(run.inventory), "-o", "out")
        assert compiled.returncode == 0, compiled.stderr
        document = (tmp_path / "out" / "n01.mof").read_bytes()
        errors = run.errors_of(
            "n01",
            "tester",
            "Invoke-CimMethod",
            Namespace="root/Microsoft/Windows/DesiredStateConfiguration",
            ClassName="MSFT_DSCLocalConfigurationManager",
            MethodName="SendConfigurationApply",
            Arguments={"ConfigurationData": document, "force": True},
        )
        assert "MI RESULT 1,Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand" in {
            error.fq_error for error in errors
        }
        (thrown,) = run.journal("n01", "resource-failed")
        assert thrown["resource"] == "[xVMSwitch]x"
        assert (thrown["inner_error_id"].split(",")[0], thrown["inner_category"]) == (
            "ObjectNotFound",
            "ObjectNotFound",
        )
