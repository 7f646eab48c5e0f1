"""What pypsrp sees of the states of an LCM: every row of Microsoft's table, a restart in the middle, busy, pending.

The rows are those of the table of result rules (LCM behaviour facts 2.5).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from provisioner.lab.lcm.host import Behaved
from tests.lab.lcm.nodes import Answer, Bench, running_bench
from tests.unit.lab.lcm.building import JOB, document, fake, meta
from tests.unit.lab.lcm.test_state_table import TABLE


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running_bench(tmp_path_factory.mktemp("node")) as made:
        yield made


def push(bench: Bench, *resources: str, force: bool = True, job_id: str = JOB) -> None:
    bench.invoke(
        "SendConfigurationApplyAsync", ConfigurationData=document(*resources), force=force, jobId=job_id
    )


def named(found: Any) -> list[str]:
    return [each.adapted_properties["InstanceName"] for each in found or ()]


@pytest.mark.parametrize("sequence", TABLE)
def test_pypsrp_sees_the_outcome_of_the_table(bench: Bench, sequence: str) -> None:
    bench.forget()
    push(bench, *map(fake, sequence.split(",")))
    state = bench.idle()
    record = bench.statuses()[0]

    assert (
        state,
        record["Status"],
        record["RebootRequested"],
        named(record["ResourcesInDesiredState"]),
        named(record["ResourcesNotInDesiredState"]),
    ) == TABLE[sequence]
    assert record["NumberOfResources"] == len(sequence.split(","))
    assert record["JobID"] == JOB


def test_a_restart_in_the_middle_has_the_life_cycle_of_the_documentation(bench: Bench) -> None:
    bench.forget()
    bench.invoke(
        "SendMetaConfigurationApply", ConfigurationData=meta("RebootNodeIfNeeded = False;"), force=True
    )
    job = JOB.replace("1", "7")
    push(bench, fake("S"), fake("r"), fake("S2"), job_id=job)
    assert bench.idle() == "PendingReboot"
    bench.restart()
    assert bench.idle() == "Idle"

    records = [each for each in bench.statuses() if each["JobID"] == job]
    assert [(each["Type"], each["RebootRequested"]) for each in records] == [
        ("Reboot", False),
        ("Initial", True),
    ]
    for leg in (0, 1):
        path = rf"C:\Windows\System32\Configuration\ConfigurationStatus\{job}-{leg}.details.json"
        lines = json.loads("\n".join(map(str, bench.command("Get-Content", Path=path, Encoding="Unicode"))))
        assert {tuple(sorted(line)) for line in lines} == {("message", "time", "type")}
        assert {line["type"] for line in lines} <= {"verbose", "warning", "error"}


def test_busy_is_told_to_every_method_but_the_ones_that_are_answered(bench: Bench) -> None:
    bench.forget()
    bench.resource.gate.clear()
    push(bench, fake("slow"))
    shown = bench.meta()
    assert (shown["LCMState"], shown["LCMStateDetail"]) == ("Busy", "LCM is applying a new configuration.")
    calls: dict[str, dict[str, Any]] = {
        "SendConfiguration": {"ConfigurationData": document(fake("S"))},
        "ApplyConfiguration": {},
        "TestConfiguration": {},
        "GetConfiguration": {},
        "GetConfigurationStatus": {"All": True},
        "SendMetaConfigurationApply": {"ConfigurationData": meta("")},
        "RollBack": {},
        "RemoveConfiguration": {"Stage": 2},
        "PerformRequiredConfigurationChecks": {"Flags": 1},
        "EnableDebugConfiguration": {"BreakAll": True},
    }
    for method, arguments in calls.items():
        with pytest.raises(Answer) as refused:
            bench.invoke(method, **arguments)
        text, error_id = refused.value.last
        assert error_id == "MI RESULT 1", method
        assert "The Start-DscConfiguration cmdlet is in progress and must return before" in text, method
    assert bench.invoke("GetConfigurationResultOutput", jobId=JOB)["output"]
    bench.invoke("StopConfiguration", force=True)
    assert bench.idle() == "PendingConfiguration"
    record = bench.statuses()[0]
    assert (record["Status"], record["Error"]) == ("Failure", "The current configuration was cancelled.")


def test_pending_blocks_the_next_push_until_force(bench: Bench) -> None:
    bench.forget()
    push(bench, fake("F"))
    assert bench.idle() == "PendingConfiguration"
    with pytest.raises(Answer) as refused:
        push(bench, fake("S"), force=False)
    assert refused.value.last[1] == "MI RESULT 11"
    push(bench, fake("S"))
    assert bench.idle() == "Idle"


def test_folders_of_modules_can_be_looked_at(bench: Bench) -> None:
    folder = r"C:\Program Files\WindowsPowerShell\Modules"
    assert bench.command("Test-Path", Path=rf"{folder}\Fake\1.0\Fake.psd1") == [True]
    names = [each.adapted_properties["Name"] for each in bench.command("Get-ChildItem", Path=folder)]
    assert "PSDscResources" in names


def test_a_stuck_lcm_is_got_free_by_the_end_of_its_provider_host(bench: Bench) -> None:
    """The way of Microsoft's own troubleshooting: find the host of the provider, end it, push again."""
    bench.forget()
    bench.node.misbehaviour = stuck = Stuck()
    push(bench, fake("S"))
    with pytest.raises(Answer) as refused:
        bench.invoke("StopConfiguration", force=True)
    assert refused.value.last == ("Could not cancel the current operation.", "MI RESULT 1")
    assert bench.meta()["LCMState"] == "Busy"
    bench.node.misbehaviour = Behaved()
    found = bench.command(
        "Get-CimInstance", Namespace="root/cimv2", ClassName="Msft_Providers", Filter="provider='dsccore'"
    )
    (provider,) = [each.adapted_properties for each in found]
    bench.command("Stop-Process", Id=provider["HostProcessIdentifier"], Force=True)

    assert stuck.is_reached
    assert bench.idle() == "PendingConfiguration"
    push(bench, fake("S"))
    assert bench.idle() == "Idle"


@pytest.mark.parametrize("is_verbose", [True, False])
def test_who_waits_for_a_push_hears_it_in_the_streams(bench: Bench, *, is_verbose: bool) -> None:
    bench.forget()
    arguments = {"ConfigurationData": document(fake("S"), fake("r")), "force": True}
    shell = bench.shell("SendConfigurationApply", arguments, Verbose=is_verbose)
    verbose = [each.message for each in shell.streams.verbose]

    assert bool(verbose) is is_verbose
    assert not is_verbose or "[HV01]: LCM:  [ Start  Set      ]" in verbose
    assert [str(each.message).partition("] ")[2] for each in shell.streams.warning] == [
        "A reboot is required to progress further. Please reboot the system."
    ]
    assert [each.percent_complete for each in shell.streams.progress] == [0, 50]


def test_who_does_not_wait_hears_nothing(bench: Bench) -> None:
    bench.forget()
    arguments = {"ConfigurationData": document(fake("S")), "force": True, "jobId": JOB}
    shell = bench.shell("SendConfigurationApplyAsync", arguments, Verbose=True)
    bench.idle()

    assert (shell.streams.verbose, shell.streams.progress) == ([], [])


class Stuck(Behaved):
    """Never comes to a resource and takes no order to stop."""

    is_reached = False

    async def before_resource(self, resource_id: str, operation: str) -> None:
        del resource_id, operation
        self.is_reached = True
        await asyncio.Event().wait()

    def ignores_stop(self) -> bool:
        return True
