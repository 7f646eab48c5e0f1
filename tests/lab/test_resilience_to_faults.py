"""Whole runs against labs in which something goes wrong for good: a killed lab, nodes that fell silent, lost shells."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from provisioner.lab.control import ask
from tests.lab.labs import EXAMPLE, LabRun, many_nodes, running_lab, wait_for

pytestmark = pytest.mark.slow

#: Who waits for a silent node waits ten seconds at least, the least of its timeouts (``connect_timeout``). How fast it
#: really goes is measured alone on a machine; a suite beside it may double that, and double it again.
_SOON_S = 9.0


def _kill_lab(run: LabRun) -> None:
    status = json.loads((run.folder / "labs" / "test" / "lab.json").read_text(encoding="utf-8"))
    os.kill(status["pid"], signal.SIGKILL)
    wait_for("the end of the lab", lambda: not Path(f"/proc/{status['pid']}").exists())


def test_a_lab_killed_in_mid_apply_fails_every_unfinished_node_and_a_rerun_converges(tmp_path: Path) -> None:
    # A quick machine has ordered its first reboot by then: who restarts is waited for by a limit of its own.
    limits = "reconnect_timeout: 4\n  connect_timeout: 2\n  reboot_timeout: 15"
    text = EXAMPLE.read_text(encoding="utf-8").replace("  port: 15985", f"  port: 15985\n  {limits}")
    slow = text.replace("  hv01:\n", "  hv01:\n    lab: {durations: {feature_s: 8}}\n")
    with running_lab(tmp_path, slow, time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes", "--json")
        wait_for("the job", lambda: run.count("hv01", "job-started"))
        time.sleep(0.5)
        _kill_lab(run)
        output, errors = controller.communicate(timeout=110)
        assert controller.returncode == 1, output[-2000:] + errors
        assert "Traceback" not in output + errors
        events = [json.loads(line) for line in output.splitlines()]
        ends = {event["node"]: event for event in events if event["type"] in {"NodeDone", "NodeFailed"}}
        assert set(ends) == {"hv01", "hv02", "hv03", "st01", "st02"}
        failed = [end for end in ends.values() if end["type"] == "NodeFailed"]
        assert "hv01" in [end["node"] for end in failed]
        for end in failed:
            causes = [problem["message"] for problem in end["problems"]]
            assert causes, end
            assert any(re.search("nothing listens|reset|no answer", cause) for cause in causes), causes
        run.up()
        again = run.apply()
        assert again.returncode == 0, again.stdout + again.stderr
        jobs = run.count("hv01", "job-started")
        assert run.apply().returncode == 0
        assert run.count("hv01", "job-started") == jobs


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", ["before the run", "in mid-apply"])
def test_ctrl_c_with_five_of_two_hundred_nodes_half_open_ends_soon_and_leaves_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "Fifty-Nodes-1!")
    folder = tmp_path / "labs" / "test"

    def fall_silent() -> None:
        for number in range(1, 6):
            ask(folder, {"op": "fault", "node": f"n{number:03}", "fault": {"kind": "half-open"}})

    with running_lab(tmp_path, many_nodes(200), time_scale=1.0) as run:
        if moment == "before the run":
            fall_silent()
        controller = run.spawn("apply", str(run.inventory), "--yes", "--parallel", "200")
        numbers = range(6, 201)
        wait_for("the jobs", lambda: sum(run.count(f"n{n:03}", "job-started") for n in numbers) >= 90)
        if moment == "in mid-apply":
            fall_silent()
            time.sleep(1.0)
        begin = time.monotonic()
        controller.send_signal(signal.SIGINT)
        output, errors = controller.communicate(timeout=60)
        assert time.monotonic() - begin < _SOON_S
        assert controller.returncode == 130, output[-2000:] + errors
        assert "Traceback" not in output + errors
        # A process is gone only when its last thread is.
        assert not Path(f"/proc/{controller.pid}").exists()


@pytest.mark.timeout(300)
def test_the_shell_of_a_killed_controller_expires_within_three_minutes(tmp_path: Path) -> None:
    one = EXAMPLE.read_text(encoding="utf-8").split("  hv02:")[0] + '\nlab:\n  windows: "2022"\n'
    slow = one.replace("  hv01:\n", "  hv01:\n    lab: {durations: {feature_s: 30}}\n")
    with running_lab(tmp_path, slow, time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes")
        wait_for("the job", lambda: run.count("hv01", "job-started"))
        assert run.status()["hv01"]["shells_open"] == 1
        run.provision("lab", "cut", "hv01", "--name", "test")
        controller.send_signal(signal.SIGKILL)
        controller.communicate()
        lost = time.monotonic()
        assert run.status()["hv01"]["shells_open"] == 1
        wait_for("the end of the shell", lambda: run.status()["hv01"]["shells_open"] == 0, limit_s=280)
        # Looked at every few seconds, more on a busy machine; the last request was a moment before the end.
        assert 150 < time.monotonic() - lost < 240
