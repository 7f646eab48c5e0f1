"""Nodes that come after others, and what has to hold before a node is changed: whole runs, counted by the lab."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lab.labs import LabRun, running_lab

pytestmark = pytest.mark.slow

INVENTORY = """\
site: lab
connection: {transport: psrp, port: 15985, user: provisioner}
nodes:
  first:
    address: 127.20.0.11
    roles: [telnet]
    connection: {password: file:.secrets/first}
    lab: {durations: {feature_s: 4}}
  second:
    address: 127.20.0.12
    roles: [telnet]
    connection: {password: file:.secrets/second}
    after: [first]
    lab: {durations: {feature_s: 0.1}}
lab:
  windows: "2022"
"""

ROLE = """\
description: One feature that needs no reboot.
modules: {PSDscResources: "2.12.0.0"}
configurations: [telnet]
"""

CONFIGURATION = """\
resources:
  - name: telnet
    type: PSDscResources/WindowsFeature
    properties: {Name: Telnet-Client, Ensure: Present}
"""

CHECK = """\
def test_the_ground_is_laid(host):
    assert host.service("Spooler").exists
    assert host.service("Spooler").start_mode == "Disabled", "the spooler has to be disabled first"
"""


def project(folder: Path, role: str = ROLE, check: str = "") -> None:
    for name, text in {
        "roles/telnet/role.yaml": role,
        "roles/telnet/preflight/test_ground.py": check,
        "dsc_configs/telnet.dsc.yaml": CONFIGURATION,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def wait(what: str, condition: Callable[[], Any], limit_s: float = 60.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}"
        time.sleep(0.05)


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def of(told: list[dict[str, Any]], kind: str, node: str = "") -> list[dict[str, Any]]:
    return [event for event in told if event["type"] == kind and node in {"", event["node"]}]


def moment(run: LabRun, node: str, kind: str) -> str:
    return str(run.journal(node, kind)[0]["time"])


@pytest.mark.parametrize("parallel", ["1", "10"])
def test_the_second_node_is_begun_when_the_first_is_done(tmp_path: Path, parallel: str) -> None:
    project(tmp_path)
    # In real time: otherwise each node has a clock of its own.
    with running_lab(tmp_path, INVENTORY.replace("feature_s: 4", "feature_s: 1"), time_scale=1.0) as run:
        done = run.apply("--json", "--parallel", parallel)
        assert done.returncode == 0, done.stdout + done.stderr
        assert moment(run, "first", "job-ended") < moment(run, "second", "job-started")
        told = events(done)
        [waiting] = of(told, "Waiting")
        assert (waiting["node"], waiting["for_nodes"]) == ("second", ["first"])
        again = run.apply("--json", "--parallel", parallel)
        assert of(events(again), "NodeDone", "second")[0]["changed"] == 0
        assert (run.count("first", "job-started"), run.count("second", "job-started")) == (1, 1)
        # Whom nobody selected is not waited for.
        alone = run.apply("--json", "--limit", "second")
        assert alone.returncode == 0
        assert not of(events(alone), "Waiting")


def test_a_controller_killed_while_a_node_waits_goes_on_in_the_same_order(tmp_path: Path) -> None:
    project(tmp_path)
    with running_lab(tmp_path, INVENTORY, time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes")
        wait("the job", lambda: run.count("first", "job-started"))
        controller.send_signal(signal.SIGKILL)
        controller.communicate()
        assert run.status()["second"]["connections"] == 0
        resumed = run.apply("--json")
        assert resumed.returncode == 0, resumed.stdout + resumed.stderr
        told = events(resumed)
        assert next(event for event in told if event["type"] == "RunStarted")["resumed"]
        assert of(told, "JobStarted", "first")[0]["attached"]
        assert of(told, "Waiting", "second")
        assert moment(run, "first", "job-ended") < moment(run, "second", "job-started")
        assert (run.count("first", "job-started"), run.count("second", "job-started")) == (1, 1)


def test_who_is_interrupted_while_a_node_waits_is_told_that_nothing_was_done_to_it(tmp_path: Path) -> None:
    project(tmp_path)
    with running_lab(tmp_path, INVENTORY, time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes")
        wait("the job", lambda: run.count("first", "job-started"))
        controller.send_signal(signal.SIGINT)
        output, _ = controller.communicate(timeout=30)
        assert controller.returncode == 130
        assert "second  waiting for first: " in output
        assert "interrupted before anything was done" in output
        assert run.apply().returncode == 0


def test_a_node_whose_predecessor_failed_is_skipped_and_named(tmp_path: Path) -> None:
    broken = INVENTORY.replace("lab: {durations: {feature_s: 4}}", "connection: {connect_timeout: 1}")
    project(tmp_path)
    text = broken.replace("    connection: {password: file:.secrets/first}\n", "")
    text = text.replace(
        "{connect_timeout: 1}", "{password: file:.secrets/first, port: 9, connect_timeout: 1}"
    )
    with running_lab(tmp_path, INVENTORY) as run:
        run.write(text)
        done = run.apply("--json")
        assert done.returncode == 1
        [skipped] = of(events(done), "NodeSkipped")
        assert skipped["node"] == "second"
        assert skipped["because"].startswith("waits for 'first' (")
        assert "but 'first' failed: " in skipped["because"]
        assert run.count("second", "job-started") == 0


def test_what_does_not_hold_before_a_node_is_changed_fails_it_and_nothing_is_sent(tmp_path: Path) -> None:
    project(tmp_path, ROLE + "preflight: [preflight/test_ground.py]\n", CHECK)
    with running_lab(tmp_path, INVENTORY.replace("    after: [first]\n", "")) as run:
        done = run.apply("--json")
        assert done.returncode == 1, done.stdout + done.stderr
        told = events(done)
        for node in ("first", "second"):
            [failed] = of(told, "NodeFailed", node)
            assert failed["kind"] == "PreflightFailed"
            assert "the spooler has to be disabled first" in failed["problems"][0]["message"]
            assert run.count(node, "job-started") == 0
            assert not [entry for entry in run.journal(node) if "meta" in entry["kind"]]
        assert {event["stage"] for event in of(told, "CheckFinished")} == {"preflight"}

        for node in ("first", "second"):
            run.output_of(node, "provisioner", "Set-Service", Name="Spooler", StartupType="Disabled")
        mended = run.apply("--json")
        assert mended.returncode == 0, mended.stdout + mended.stderr
        assert len(of(events(mended), "CheckFinished")) == 2
        # In desired state nothing is asked.
        for node in ("first", "second"):
            run.output_of(node, "provisioner", "Set-Service", Name="Spooler", StartupType="Manual")
        again = run.apply("--json")
        assert again.returncode == 0
        assert not of(events(again), "CheckFinished")
