"""A node as a whole: power, persistence, journal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from provisioner.lab.clock import Clock
from provisioner.lab.control import LabError
from provisioner.lab.simulated_node import SimulatedNode
from tests.unit.lab.lcm.building import JOB, FakeResource, document, fake, meta, service
from tests.unit.lab.machines import node_spec
from tests.unit.lab.waiting import idle, until


def make(folder: Path, resource: FakeResource | None = None) -> SimulatedNode:
    """Give a node with the real resources, or with the fake one."""
    if resource is None:
        return SimulatedNode(node_spec(name="hv01"), folder, time_scale=0)
    return SimulatedNode(
        node_spec(name="hv01", modules={"Fake": ("1.0",)}),
        folder,
        time_scale=0,
        find_resource=lambda name, _module: resource if name == "Fake" else None,
    )


async def booted(node: SimulatedNode, times: int = 1) -> None:
    await until(lambda: len(node.journal.entries("boot")) >= times and node.is_up)


async def push(node: SimulatedNode, data: bytes) -> None:
    await node.lcm.invoke(
        "SendConfigurationApplyAsync", {"ConfigurationData": data, "force": True, "jobId": JOB}
    )


async def test_a_restart_goes_down_and_comes_up_with_another_boot(tmp_path: Path) -> None:
    node = make(tmp_path)
    seen: list[tuple[bool, bool]] = []
    node.on_power(lambda is_on: seen.append((is_on, node.is_up)))
    await node.start()
    before = (node.machine.boot_time, node.machine.boot_id)

    node.restart()
    node.restart()
    assert node.is_up
    await booted(node)

    assert seen == [(False, False), (True, True)]
    assert node.machine.boot_time > before[0]
    assert node.machine.boot_id == before[1] + 1
    assert [each["kind"] for each in node.journal.entries()] == ["start", "shutdown", "boot"]
    await node.stop()


async def test_features_that_need_a_restart_converge_over_one(tmp_path: Path) -> None:
    feature = (
        service("x")
        .replace("MSFT_ServiceResource", "MSFT_WindowsFeature")
        .replace("[Service]x", "[WindowsFeature]h")
    )
    data = document(feature.replace('Name = "x";', 'Name = "Hyper-V"; Ensure = "Present";'))
    node = make(tmp_path)
    await node.start()
    await node.lcm.invoke(
        "SendMetaConfigurationApply", {"ConfigurationData": meta('ActionAfterReboot = "StopConfiguration";')}
    )
    await push(node, data)
    await idle(node)
    assert node.lcm.state == "PendingReboot"

    node.restart()
    await booted(node)
    assert node.lcm.state == "PendingConfiguration"
    await push(node, data)
    await idle(node)

    assert node.lcm.state == "Idle"
    assert [each["changed"] for each in node.journal.entries("job-ended")] == [1, 0]
    assert [each["leg"] for each in node.journal.entries("job-started")] == [0, 1]
    await node.stop()


async def test_a_restart_in_mid_job_leaves_it_pending_and_continues_it_when_the_settings_say_so(
    tmp_path: Path,
) -> None:
    resource = FakeResource()
    node = make(tmp_path, resource)
    await node.start()
    await push(node, document(fake("S"), fake("slow")))
    await asyncio.sleep(0)
    node.restart()
    await booted(node)

    resource.gate.set()
    await idle(node)
    assert node.lcm.state == "Idle"
    assert [each["kind"] for each in node.journal.entries() if each["kind"].startswith("job-")] == [
        "job-started",
        "job-aborted",
        "job-started",
        "job-ended",
    ]
    assert [each["type"] for each in node.journal.entries("job-started")] == ["Initial", "Reboot"]
    await node.stop()


async def test_state_survives_the_end_of_the_lab(tmp_path: Path) -> None:
    node = make(tmp_path)
    await node.start()
    await push(node, document(service("W32Time", 'State = "Stopped";')))
    await idle(node)
    node.restart()
    await booted(node)
    await node.stop()

    again = make(tmp_path)
    status = await again.lcm.invoke("GetConfigurationStatus", {"All": True})
    assert again.machine.boot_id == node.machine.boot_id
    assert again.machine.boot_time == node.machine.boot_time
    assert status["configurationStatus"][0].properties["JobID"] == JOB
    assert again.clock.now() > again.machine.boot_time


async def test_what_the_lcm_is_after_each_call_is_on_the_disk_at_once(tmp_path: Path) -> None:
    node = make(tmp_path)
    await node.start()
    for body in ("RefreshFrequencyMins = 45;", "RefreshFrequencyMins = 60;"):
        await node.lcm.invoke("SendMetaConfigurationApply", {"ConfigurationData": meta(body)})
        assert node.state.read()["lcm"] == json.loads(json.dumps(node.lcm.to_plain()))
    await node.lcm.invoke("EnableDebugConfiguration", {"BreakAll": True})
    assert node.state.read()["lcm"] == json.loads(json.dumps(node.lcm.to_plain()))
    for _ in range(2):
        await push(node, document(service("W32Time", 'State = "Stopped";')))
        await idle(node)
        assert node.state.read()["lcm"] == json.loads(json.dumps(node.lcm.to_plain()))
    await node.stop()


async def test_a_job_running_when_the_lab_ends_is_pending_in_the_next(tmp_path: Path) -> None:
    resource = FakeResource()
    node = make(tmp_path, resource)
    await node.start()
    await push(node, document(fake("S"), fake("slow")))
    await until(lambda: "set slow" in resource.calls)
    await node.stop()

    again = make(tmp_path, resource)
    assert again.lcm.state == "PendingConfiguration"


async def test_stopping_during_a_restart_leaves_nothing_running(tmp_path: Path) -> None:
    node = make(tmp_path)
    await node.start()
    node.restart()
    await asyncio.sleep(0)
    await node.stop()

    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_the_state_file_is_whole_at_any_time_and_the_journal_is_json_lines(tmp_path: Path) -> None:
    node = make(tmp_path)
    await node.start()
    node.machine.services.find("W32Time")
    node.after_command("Stop-Service", {"Name": "W32Time", "Force": True})

    node.machine.ledger.changed("services", "stopped")
    node.save()
    assert {name.split(".")[0] for name in _texts(tmp_path)} >= {"boot_time", "lcm", "journal"}
    assert set(_texts(tmp_path / "state")) == {
        "boot_time.json",
        "clock_ahead_s.json",
        "lcm.json",
        "services.json",
    }
    assert set(_texts(tmp_path / "before").values()) == {"null"}
    assert node.journal.entries("command") == [
        {
            "time": node.journal.entries("command")[0]["time"],
            "kind": "command",
            "name": "Stop-Service",
            "parameters": ["Force", "Name"],
        }
    ]
    await node.stop()


async def test_the_password_hash_is_in_no_file(tmp_path: Path) -> None:
    node = SimulatedNode(
        node_spec(nt_hash=bytes.fromhex("0123456789abcdeffedcba9876543210")), tmp_path, time_scale=0
    )
    await node.start()
    await node.stop()

    assert "0123456789abcdef" not in "".join(_texts(tmp_path).values())
    assert "0123456789abcdef" not in repr(node.spec)


@pytest.mark.parametrize("scale", [0.0, 0.5])
async def test_the_clock_moves_by_what_was_waited(scale: float) -> None:
    clock = Clock(scale)
    before = clock.now()
    await clock.sleep(0.02)

    assert (clock.now() - before).total_seconds() >= 0.02
    assert clock.ahead_s == pytest.approx(0.02 * (1 - scale))


def test_a_feature_decides_whether_a_command_is_there(tmp_path: Path) -> None:
    node = make(tmp_path)

    assert node.has_feature("")
    assert not node.has_feature("Hyper-V-PowerShell")


def _texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("text", ["", '{"machine": 3', "{}", "[]"])
@pytest.mark.parametrize("part", ["boot_time", "clock_ahead_s", "lcm"])
def test_a_damaged_state_is_refused_by_name_with_a_way_out(tmp_path: Path, part: str, text: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "boot_time.json").write_text('"2024-05-01T12:00:00+00:00"', encoding="utf-8")
    (tmp_path / "state" / f"{part}.json").write_text(text, encoding="utf-8")
    with pytest.raises(LabError, match=r"node 'hv01'.*damaged") as refusal:
        make(tmp_path)
    assert "--fresh" in refusal.value.help
