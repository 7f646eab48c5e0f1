"""The controller is killed inside a preflight and inside an upload: the same command again does the rest, once."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.labs import LabRun, running_lab, wait_for
from tests.lab.test_installers import CONFIGURATION, ROLE, Packages

pytestmark = pytest.mark.slow

_MARK = "asked"
#: It says when it asks, and its answer takes long enough to be killed before it.
_PREFLIGHT = f"""\
from pathlib import Path

from provisioner.transport.base import Pipeline


def test_there_is_time(host):
    with Path({_MARK!r}).open("a") as told:
        told.write("asked\\n")
    assert host.ask(Pipeline.of("Start-Sleep", Seconds=3)).terminated is None
"""
_FOLDER = r"C:\Program Files\provisioner\installers"
#: Slow enough that no machine has sent the file before it is killed.
_SIZE, _BYTES_PER_S = 4 << 20, 500_000


def _project(folder: Path, role: str = ROLE, padding: int = 0) -> str:
    """Write a project of one node that is to have a package; give its inventory."""
    for name, text in (("roles/app/role.yaml", role), ("dsc_configs/app.dsc.yaml", CONFIGURATION)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    inventory = Packages(folder / "packages", padding).inventory("old")
    inventory["connection"]["password"] = "file:.secrets/n1"
    return yaml.safe_dump(inventory)


def _kill_when(run: LabRun, reached: Callable[[dict[str, Any]], bool]) -> None:
    """Apply, and kill the controller at the first event that is meant."""
    controller = run.spawn("apply", str(run.inventory), "--yes", "--json")
    assert controller.stdout is not None
    for line in controller.stdout:
        if reached(json.loads(line)):
            controller.send_signal(signal.SIGKILL)
            break
    controller.communicate()
    assert controller.returncode == -signal.SIGKILL, "it ended before it could be killed"


def _events(run: LabRun) -> Iterator[dict[str, Any]]:
    """Apply to the end, which must be a good one; give what happened."""
    done = run.apply("--json")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    return (json.loads(line) for line in done.stdout.splitlines())


def _files(run: LabRun) -> list[str]:
    found = run.output_of("n1", "provisioner", "Get-ChildItem", LiteralPath=_FOLDER, Recurse=True, File=True)
    return [item.adapted_properties["Name"] for item in found]


def _has_everything_once(run: LabRun) -> None:
    assert run.count("n1", "job-started") == 1
    assert [entry["resource"] for entry in run.journal("n1", "resource-set")] == ["[MsiProduct]App"]
    assert _files(run) == ["old.msi"]
    assert not [event for event in _events(run) if event["type"] in {"Uploading", "JobStarted"}]
    assert run.count("n1", "job-started") == 1


def test_a_controller_killed_inside_a_preflight_is_started_again_and_asks_again(tmp_path: Path) -> None:
    preflight = tmp_path / "roles/app/preflight/test_app.py"
    preflight.parent.mkdir(parents=True)
    preflight.write_text(_PREFLIGHT, encoding="utf-8")
    inventory = _project(tmp_path, f"{ROLE}preflight: [preflight/test_app.py]\n")
    with running_lab(tmp_path, inventory, time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes", "--json")
        wait_for("the preflight", (tmp_path / _MARK).exists)
        controller.send_signal(signal.SIGKILL)
        controller.communicate()
        assert controller.returncode == -signal.SIGKILL
        assert run.count("n1", "job-started") == 0
        assert run.status()["n1"]["lcm"] == "Idle"

        checks = [event for event in _events(run) if event["type"] == "CheckFinished"]
        assert [event["outcome"] for event in checks if event["stage"] == "preflight"] == ["passed"]
        assert (tmp_path / _MARK).read_text(encoding="utf-8").splitlines() == ["asked"] * 2
        _has_everything_once(run)
        # What is as wanted is asked nothing.
        assert (tmp_path / _MARK).read_text(encoding="utf-8").splitlines() == ["asked"] * 2


def test_a_controller_killed_inside_an_upload_is_started_again_and_sends_the_file(tmp_path: Path) -> None:
    with running_lab(tmp_path, _project(tmp_path, padding=_SIZE)) as run:
        run.provision("lab", "fault", "n1", "bandwidth", f"bytes_per_s={_BYTES_PER_S}", "--name", "test")
        _kill_when(run, lambda event: event["type"] == "Uploading" and event["sent"] > 0)
        run.provision("lab", "fault", "n1", "--clear", "--name", "test")
        assert "old.msi" not in _files(run)
        assert run.count("n1", "job-started") == 0

        types = [event["type"] for event in _events(run)]
        assert types.count("FileUploaded") == 1
        _has_everything_once(run)


def test_a_controller_killed_when_a_file_has_arrived_does_not_send_it_again(tmp_path: Path) -> None:
    with running_lab(tmp_path, _project(tmp_path, padding=_SIZE)) as run:
        _kill_when(run, lambda event: event["type"] == "FileUploaded")
        assert _files(run) == ["old.msi"]

        types = [event["type"] for event in _events(run)]
        assert "Uploading" not in types
        assert "FileUploaded" not in types
        _has_everything_once(run)
