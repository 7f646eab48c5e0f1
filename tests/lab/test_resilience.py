"""Kills, cuts and interruptions in the middle of an apply: the nodes converge all the same, with no extra job."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.lab.labs import EXAMPLE, LabRun, many_nodes, running_lab, wait_for

pytestmark = pytest.mark.slow

ONE_COMPUTE = EXAMPLE.read_text(encoding="utf-8").split("  hv02:")[0] + '\nlab:\n  windows: "2022"\n'

TWO_FEATURES = ONE_COMPUTE.replace("nova_compute]", "nova_compute, mpio]")


def _converged(run: LabRun, node: str = "hv01") -> None:
    """One more apply finds nothing to do."""
    jobs = run.count(node, "job-started")
    done = run.apply("--limit", node)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run.count(node, "job-started") == jobs


def test_features_of_two_roles_that_each_need_a_reboot_cost_one(tmp_path: Path) -> None:
    with running_lab(tmp_path, TWO_FEATURES) as run:
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        assert run.count("hv01", "boot") == 1
        assert run.count("hv01", "job-started") == 2
        _converged(run)


@pytest.mark.parametrize("moment", ["job-started", "job-ended", "shutdown", "boot"])
def test_a_controller_killed_at_any_moment_and_started_again_converges_with_no_extra_job(
    tmp_path: Path, moment: str
) -> None:
    with running_lab(tmp_path, ONE_COMPUTE, time_scale=0.2) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes")
        wait_for(moment, lambda: run.count("hv01", moment))
        controller.send_signal(signal.SIGKILL)
        controller.communicate()
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        assert run.count("hv01", "boot") == 1
        assert run.count("hv01", "job-started") == 2
        _converged(run)


def test_a_network_cut_for_five_seconds_does_not_lose_the_job(tmp_path: Path) -> None:
    slow = ONE_COMPUTE.replace("  hv01:\n", "  hv01:\n    lab: {durations: {feature_s: 4}}\n")
    with running_lab(tmp_path, slow, time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes", "--json")
        wait_for("the job", lambda: run.count("hv01", "job-started"))
        run.provision("lab", "cut", "hv01", "--for", "5", "--name", "test")
        output, errors = controller.communicate(timeout=110)
        assert controller.returncode == 0, output[-2000:] + errors
        events = [json.loads(line) for line in output.splitlines()]
        assert [event for event in events if event["type"] == "ConnectionLost"]
        first = [
            event["job_id"]
            for event in events
            if event["type"] in {"JobStarted", "JobFinished"} and event["leg"] == 1
        ]
        assert len(set(first)) == 1
        assert run.count("hv01", "job-started") == run.count("hv01", "boot") + 1


def test_a_node_cut_for_good_fails_alone_with_its_last_known_state_and_a_rerun_completes_it(
    tmp_path: Path,
) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        "  port: 15985", "  port: 15985\n  reconnect_timeout: 4\n  connect_timeout: 2"
    )
    # Long enough that the cut comes while the job runs.
    text = text.replace("  hv01:\n", "  hv01:\n    lab: {durations: {feature_s: 6}}\n")
    with running_lab(tmp_path, text, time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes")
        wait_for("the job", lambda: run.count("hv01", "job-started"))
        run.provision("lab", "cut", "hv01", "--name", "test")
        output, errors = controller.communicate(timeout=110)
        assert controller.returncode == 1, output + errors
        assert "Traceback" not in output + errors
        assert "Busy" in output
        done = [line.split()[0] for line in output.splitlines() if " done " in f" {line} "]
        assert {"hv02", "hv03", "st01", "st02"} <= set(done)
        run.provision("lab", "restore", "hv01", "--name", "test")
        again = run.apply()
        assert again.returncode == 0, again.stdout + again.stderr
        assert run.count("hv01", "job-started") == run.count("hv01", "boot") + 1
        for node in ["hv02", "hv03", "st01", "st02"]:
            assert run.count(node, "job-started") == run.count(node, "boot") + 1


def test_ctrl_c_at_fifty_nodes_ends_in_seconds_and_leaves_no_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "Fifty-Nodes-1!")
    with running_lab(tmp_path, many_nodes(50), time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes", "--parallel", "50")
        wait_for("ten jobs", lambda: sum(run.count(f"n{n:03}", "job-started") for n in range(1, 51)) >= 10)
        begin = time.monotonic()
        controller.send_signal(signal.SIGINT)
        output, errors = controller.communicate(timeout=60)
        # Each of 50 nodes alone may take five seconds.
        assert time.monotonic() - begin < 30
        assert controller.returncode == 130, output[-2000:] + errors
        assert "Traceback" not in output + errors
        assert not Path(f"/proc/{controller.pid}").exists()
        assert sum(int(node["shells_open"]) for node in run.status().values()) == 0
        again = run.apply("--parallel", "50")
        assert again.returncode == 0, again.stdout[-3000:] + again.stderr


def test_without_yes_and_without_a_terminal_no_node_restarts(tmp_path: Path) -> None:
    with running_lab(tmp_path, ONE_COMPUTE) as run:
        done = run.provision("apply", str(run.inventory))
        assert done.returncode == 1, done.stdout + done.stderr
        assert run.count("hv01", "boot") == 0
        assert "--yes" in done.stdout
        assert run.apply().returncode == 0
        assert run.count("hv01", "boot") == 1


def test_a_node_with_running_virtual_machines_restarts_only_with_the_flag(tmp_path: Path) -> None:
    machine = '  windows: "2022"\n  virtual_machines: [{name: web01, state: Running}]'
    with running_lab(tmp_path, ONE_COMPUTE.replace('  windows: "2022"', machine)) as run:
        assert run.apply().returncode == 0
        boots = run.count("hv01", "boot")
        # Now Hyper-V and the machine run, and one more feature asks for a reboot.
        run.write(TWO_FEATURES.replace('  windows: "2022"', machine))
        refused = run.apply()
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert run.count("hv01", "boot") == boots
        assert "web01" in refused.stdout
        assert "--reboot-running-vms" in refused.stdout
        done = run.apply("--reboot-running-vms")
        assert done.returncode == 0, done.stdout + done.stderr
        assert run.count("hv01", "boot") == boots + 1


def test_a_second_apply_at_the_same_time_is_refused_by_name(tmp_path: Path) -> None:
    with running_lab(tmp_path, ONE_COMPUTE, time_scale=1.0) as run:
        controller = run.spawn("apply", str(run.inventory), "--yes")
        wait_for("the job", lambda: run.count("hv01", "job-started"))
        second = run.apply()
        assert second.returncode == 1
        assert "another run is at work" in second.stderr
        controller.communicate(timeout=110)
        assert controller.returncode == 0


def test_a_failed_push_that_somebody_else_left_pending_does_not_stand_in_the_way(tmp_path: Path) -> None:
    bad = """\
instance of MSFT_WindowsFeature as $a { ResourceID = "[WindowsFeature]a"; Name = "No-Such-Feature";
 Ensure = "Present"; SourceInfo = "x::1::1::WindowsFeature"; ModuleName = "PSDscResources";
 ModuleVersion = "2.12.0.0"; ConfigurationName = "Foreign"; };
instance of OMI_ConfigurationDocument { Version="2.0.0"; MinimumCompatibleVersion="1.0.0"; Name="Foreign"; };
"""
    with running_lab(tmp_path, ONE_COMPUTE) as run:
        errors = run.errors_of(
            "hv01",
            "provisioner-hv01",
            "Invoke-CimMethod",
            Namespace="root/Microsoft/Windows/DesiredStateConfiguration",
            ClassName="MSFT_DSCLocalConfigurationManager",
            MethodName="SendConfigurationApply",
            Arguments={"ConfigurationData": bad.encode(), "force": False},
        )
        assert errors
        assert run.status()["hv01"]["lcm"] == "PendingConfiguration"
        done = run.apply()
        assert done.returncode == 0, done.stdout + done.stderr
        assert run.status()["hv01"]["lcm"] == "Idle"
        _converged(run)
