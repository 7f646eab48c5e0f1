"""An LCM that looks after its node: when, what it does then, and what it leaves."""

from __future__ import annotations

import asyncio

import pytest

from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.store import META_FILE
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.event_log import DSC_OPERATIONAL, EventLog
from tests.unit.lab.lcm.building import JOB, FakeNode, document, fake, meta, names
from tests.unit.lab.waiting import until


async def configured(mode: str, more: str = "") -> FakeNode:
    node = FakeNode()
    settings = meta(f'ConfigurationMode = "{mode}"; {more}')
    await node.lcm.invoke("SendMetaConfigurationApply", {"ConfigurationData": settings})
    return node


async def due(node: FakeNode) -> None:
    """Let the time of the next run come, and wait for its end."""
    (timer,) = node.timers
    node.timers.remove(timer)
    timer[1]()
    await asyncio.sleep(0)
    await until(lambda: node.lcm.state != "Busy" and len(node.timers) == 1)


def events(node: FakeNode) -> list[int]:
    return [each.event_id for each in node.machine.area(EventLog).events(DSC_OPERATIONAL)]


@pytest.mark.parametrize(
    ("mode", "is_timed"),
    [("ApplyOnly", False), ("ApplyAndMonitor", True), ("ApplyAndAutoCorrect", True), ("MonitorOnly", True)],
)
async def test_there_is_one_timer_where_a_document_and_the_mode_ask_for_it(
    mode: str, *, is_timed: bool
) -> None:
    node = await configured(mode, "ConfigurationModeFrequencyMins = 20; RefreshFrequencyMins = 45;")
    assert node.timers == []
    await node.apply(document(fake("S")))

    assert [round(seconds) for seconds, _ in node.timers] == ([1200] if is_timed else [])


async def test_a_node_without_a_document_costs_no_timer() -> None:
    node = FakeNode()
    node.lcm.on_start()
    await node.lcm.invoke("GetMetaConfiguration", {})
    await node.lcm.invoke("TestConfiguration", {"configurationData": document(fake("S"))})

    assert node.timers == []


async def test_the_timer_goes_with_the_document_and_with_the_node() -> None:
    node = await configured("ApplyAndMonitor")
    await node.apply(document(fake("S")))
    assert len(node.timers) == 1
    await node.lcm.invoke("RemoveConfiguration", {"Stage": 1})
    assert node.timers == []
    await node.apply(document(fake("S")))
    node.lcm.on_shutdown()
    assert node.timers == []
    node.lcm.on_boot()
    assert len(node.timers) == 1
    await node.lcm.stop()
    assert node.timers == []


async def test_monitoring_tests_and_tells_but_mends_nothing() -> None:
    node = await configured("ApplyAndMonitor")
    await node.apply(document(fake("S"), fake("ok")))
    node.resource.settled.clear()
    node.resource.calls.clear()
    await due(node)

    record = (await node.statuses())[0]
    assert node.resource.calls == ["test S", "test ok"]
    assert (record["Type"], record["Status"], record["RebootRequested"]) == ("Consistency", "Success", False)
    assert names(record["ResourcesNotInDesiredState"]) == ["S"]
    assert names(record["ResourcesInDesiredState"]) == ["ok"]
    assert node.lcm.state == "Idle"
    assert 4115 in events(node)


async def test_correcting_sets_what_drifted() -> None:
    node = await configured("ApplyAndAutoCorrect")
    await node.apply(document(fake("S"), fake("ok")))
    node.resource.settled.clear()
    node.resource.calls.clear()
    await due(node)

    record = (await node.statuses())[0]
    assert node.resource.calls == ["test S", "set S", "test ok"]
    assert (record["Type"], names(record["ResourcesChanged"])) == ("Consistency", ["S"])
    assert record["JobID"] != JOB
    assert node.stages() == {"P": None, "C": document(fake("S"), fake("ok")), "p": None}


@pytest.mark.parametrize("mode", ["ApplyAndMonitor", "ApplyAndAutoCorrect"])
async def test_what_is_pending_is_tried_again_by_every_run(mode: str) -> None:
    node = await configured(mode)
    await node.apply(document(fake("F")))
    await due(node)
    await due(node)

    assert node.resource.calls == ["test F", "set F"] * 3
    assert [each["Type"] for each in await node.statuses()][:3] == ["Consistency", "Consistency", "Initial"]
    assert node.lcm.state == "PendingConfiguration"


async def test_a_node_may_restart_hours_later_because_a_consistency_run_mends_something() -> None:
    node = await configured("ApplyAndAutoCorrect", "RebootNodeIfNeeded = True;")
    await node.apply(document(fake("r")))
    node.boot()
    await node.idle()
    assert (node.restarts, node.lcm.state) == (1, "Idle")
    node.resource.settled.clear()
    await due(node)

    assert (node.restarts, node.lcm.state) == (2, "PendingReboot")
    assert (await node.statuses())[0]["Type"] == "Consistency"


@pytest.mark.parametrize(("setting", "restarts"), [("", 0), ("RebootNodeIfNeeded = True;", 1)])
async def test_a_restart_that_a_test_asks_for_counts_while_monitoring(setting: str, restarts: int) -> None:
    node = await configured("ApplyAndMonitor", setting)
    await node.apply(document(fake("okflag")))
    assert node.lcm.state == "Idle"
    await due(node)

    assert (node.restarts, node.lcm.state) == (restarts, "PendingReboot")
    assert (await node.statuses())[0]["RebootRequested"] is True
    node.boot()
    assert node.lcm.state == "Idle"


async def test_a_test_that_throws_is_a_failed_run_and_the_next_one_comes_all_the_same() -> None:
    node = await configured("ApplyAndMonitor")
    await node.apply(document(fake("S")))
    node.machine.files.write(
        r"C:\Windows\System32\Configuration\Current.mof", document(fake("ok"), fake("T"), fake("S"))
    )
    await due(node)

    record = (await node.statuses())[0]
    assert (record["Type"], record["Status"]) == ("Consistency", "Failure")
    assert len(node.timers) == 1


async def test_a_run_that_is_due_while_the_lcm_is_busy_is_left_out() -> None:
    node = await configured("ApplyAndMonitor")
    await node.apply(document(fake("S")))
    timer = node.timers.pop()
    await node.push(document(fake("slow")))
    timer[1]()
    await asyncio.sleep(0)
    assert node.lcm.state_detail == "LCM is applying a new configuration."
    node.resource.gate.set()
    await node.idle()

    assert "Consistency" not in [each["Type"] for each in await node.statuses()]
    assert len(node.timers) == 1


async def test_others_are_told_that_a_consistency_run_is_in_progress() -> None:
    node = await configured("ApplyAndAutoCorrect")
    await node.apply(document(fake("S")))
    node.machine.files.write(r"C:\Windows\System32\Configuration\Current.mof", document(fake("slow")))
    timer = node.timers.pop()
    timer[1]()
    await until(lambda: "set slow" in node.resource.calls)
    answer = await node.lcm.invoke("GetMetaConfiguration", {})
    shown = answer["MetaConfiguration"].properties

    assert (shown["LCMState"], shown["LCMStateDetail"]) == ("Busy", "LCM is performing a consistency check.")
    with pytest.raises(
        Exception, match="The Consistency Check or Pull cmdlet is in progress and must return"
    ):
        await node.push(document(fake("S")), force=False)
    node.resource.gate.set()
    await node.idle()


async def test_consistency_runs_leave_no_details_file() -> None:
    node = await configured("ApplyAndAutoCorrect")
    await node.apply(document(fake("S")))
    before = set(node.machine.files.paths())
    node.resource.settled.clear()
    await due(node)

    new = set(node.machine.files.paths()) - before
    assert not [path for path in new if path.endswith(("details.json", ".bmil"))]
    assert (await node.statuses())[0]["Type"] == "Consistency"


async def test_a_clock_that_jumps_brings_the_next_run_forward() -> None:
    node = await configured("ApplyAndMonitor")
    await node.apply(document(fake("S")))
    await node.sleep(10 * 60)
    node.lcm.on_clock_moved()

    assert [round(seconds / 60) for seconds, _ in node.timers] == [5]


async def test_a_damaged_file_of_settings_means_the_settings_of_a_fresh_lcm_and_an_event() -> None:
    node = await configured("ApplyOnly")
    node.machine.files.write(META_FILE, b"\x00garbage")
    answer = await node.lcm.invoke("GetMetaConfiguration", {})

    assert answer["MetaConfiguration"].properties["ConfigurationMode"] == "ApplyAndMonitor"
    assert events(node)[-1] == 4269
    await node.lcm.invoke("GetMetaConfiguration", {})
    assert events(node).count(4269) == 1


async def test_a_file_of_settings_that_is_gone_means_the_settings_of_a_fresh_lcm() -> None:
    node = await configured("ApplyOnly")
    assert "ApplyOnly" in node.machine.files.read(META_FILE).decode("utf-16")
    node.machine.files.remove(META_FILE)
    answer = await node.lcm.invoke("GetMetaConfiguration", {})

    assert answer["MetaConfiguration"].properties["ConfigurationMode"] == "ApplyAndMonitor"
    assert 4269 not in events(node)


async def test_a_file_of_settings_that_an_administrator_dropped_counts() -> None:
    node = FakeNode()
    node.machine.files.make_folder(r"C:\Windows\System32\Configuration")
    node.machine.files.write(META_FILE, meta('ConfigurationMode = "ApplyOnly";'))
    answer = await node.lcm.invoke("GetMetaConfiguration", {})

    assert answer["MetaConfiguration"].properties["ConfigurationMode"] == "ApplyOnly"


async def test_documents_on_the_disk_are_sealed() -> None:
    node = await configured("ApplyOnly")
    await node.apply(document(fake("S")))
    kept = node.machine.files.read(r"C:\Windows\System32\Configuration\Current.mof")

    assert kept.startswith(bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb"))
    assert document(fake("S"))[2:60] not in kept


async def test_a_job_can_be_followed_in_the_event_log_by_its_id() -> None:
    node = FakeNode()
    await node.apply(document(fake("S")))
    await node.apply(document(fake("F")))
    found = [
        (each.event_id, each.level)
        for each in node.machine.area(EventLog).events(DSC_OPERATIONAL)
        if each.properties[0] == JOB
    ]

    assert found == [
        (4102, "Information"),
        (4286, "Information"),
        (4251, "Information"),
        (4102, "Information"),
        (4252, "Error"),
        (4251, "Information"),
    ]


@pytest.mark.parametrize("cause", ["service", "policy"])
async def test_nothing_goes_on_after_a_boot_where_winrm_does_not_start_the_timer(cause: str) -> None:
    node = await configured("ApplyAndMonitor")
    await node.apply(document(fake("r"), fake("S")))
    if cause == "service":
        node.machine.services.change("WinRM", start_mode="Disabled")
    else:
        path = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
        node.machine.registry.set(path, "DSCAutomationHostEnabled", 0)
    node.boot()

    assert (node.lcm.state, node.timers) == ("PendingConfiguration", [])
    await node.lcm.invoke("PerformRequiredConfigurationChecks", {"Flags": 2})
    assert node.lcm.state == "Idle"


async def test_a_disk_that_takes_nothing_refuses_the_push() -> None:
    node = FakeNode()
    node.machine.ledger.failing["WriteFile"] = MachineError(
        "There is not enough space on the disk.", "Full", "WriteError"
    )
    with pytest.raises(
        LcmError, match=r"Failed to save .*Pending\.mof\. There is not enough space on the disk."
    ):
        await node.push(document(fake("S")))
    node.machine.ledger.failing.clear()
    await node.apply(document(fake("S")))
    assert node.lcm.state == "Idle"


async def test_a_disk_that_is_full_at_the_end_leaves_the_document_pending() -> None:
    node = FakeNode()
    await node.push(document(fake("slow")))
    await until(lambda: "set slow" in node.resource.calls)
    node.machine.ledger.failing["WriteFile"] = MachineError(
        "There is not enough space on the disk.", "Full", "WriteError"
    )
    node.resource.gate.set()
    await node.idle()

    assert node.lcm.state == "PendingConfiguration"
    assert node.stages()["P"] == document(fake("slow"))


async def test_a_mistake_of_the_lab_ends_a_job_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    node = FakeNode()

    def broken(_resource_id: str, _percent: int) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(
        "provisioner.lab.lcm.jobs.job_log.JobLog.progress", lambda _self, *given: broken(*given)
    )
    await node.apply(document(fake("S")))

    assert node.lcm.state == "PendingConfiguration"
    assert "the lab itself failed: ZeroDivisionError('oh')" in str(await node.lines())
