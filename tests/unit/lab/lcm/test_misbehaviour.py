"""Where faults get into an LCM, and what a client sees of them; none of it happens by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.host import Behaved, ForeignOperation
from provisioner.lab.machine.basics.processes import Processes
from provisioner.lab.resources.base import ResourceError
from tests.unit.lab.lcm.building import JOB, FakeNode, document, fake, names
from tests.unit.lab.waiting import until


@dataclass
class Fault(Behaved):
    """Misbehaves as its fields say."""

    foreign: ForeignOperation | None = None
    failures: int = 0
    liars: tuple[str, ...] = ()
    is_stuck: bool = False
    seen: list[str] = field(default_factory=list)

    def foreign_operation(self) -> ForeignOperation | None:
        return self.foreign

    async def before_resource(self, resource_id: str, operation: str) -> None:
        self.seen.append(f"{operation} {resource_id}")
        if self.is_stuck:
            await asyncio.Event().wait()
        if operation == "Set" and self.failures:
            self.failures -= 1
            raise ResourceError("not yet", "Injected", "ResourceUnavailable")

    def lies(self, resource_id: str) -> bool:
        return resource_id in self.liars

    def ignores_stop(self) -> bool:
        return self.is_stuck


def faulty(**fault: object) -> tuple[FakeNode, Fault]:
    node = FakeNode()
    made = Fault(**fault)  # type: ignore[arg-type]  # the fields of the class
    node.misbehaviour = made
    return node, made


@pytest.mark.parametrize(
    "foreign",
    [ForeignOperation(), ForeignOperation("Start-DscConfiguration", "LCM is applying a new configuration.")],
)
async def test_an_lcm_at_work_for_somebody_else_is_busy_until_that_ends(foreign: ForeignOperation) -> None:
    node, fault = faulty(foreign=foreign)
    shown = (await node.lcm.invoke("GetMetaConfiguration", {}))["MetaConfiguration"].properties
    assert (shown["LCMState"], shown["LCMStateDetail"]) == ("Busy", foreign.detail)
    for force in (False, True):
        with pytest.raises(
            LcmError, match=f"The {foreign.cmdlet} cmdlet is in progress and must return before"
        ):
            await node.push(document(fake("S")), force=force)
    fault.foreign = None
    await node.apply(document(fake("S")))
    assert node.lcm.state == "Idle"


async def test_a_resource_may_fail_some_times_and_then_succeed() -> None:
    node, fault = faulty(failures=2)
    for state in ("PendingConfiguration", "PendingConfiguration", "Idle"):
        await node.apply(document(fake("S")))
        assert node.lcm.state == state
    assert fault.seen == ["Test [Fake]S", "Set [Fake]S"] * 3
    assert [each["inner_error_id"] for each in node.entries("resource-failed")] == ["Injected"] * 2


async def test_a_set_that_lies_changes_nothing_and_is_found_out_by_the_next_test() -> None:
    node, _ = faulty(liars=("[Fake]S1",))
    await node.apply(document(fake("S1"), fake("S2")))
    record = (await node.statuses())[0]
    out = await node.lcm.invoke("TestConfiguration", {})

    assert (record["Status"], node.lcm.state) == ("Success", "Idle")
    assert names(out["ResourcesNotInDesiredState"]) == ["S1"]
    assert names(out["ResourcesInDesiredState"]) == ["S2"]


async def test_a_stuck_lcm_answers_only_what_is_answered_while_busy_until_its_process_is_killed() -> None:
    node, fault = faulty(is_stuck=True)
    await node.push(document(fake("S")))
    await until(lambda: bool(fault.seen))
    assert node.lcm.state == "Busy"
    with pytest.raises(LcmError, match="Could not cancel the current operation"):
        await node.lcm.invoke("StopConfiguration", {"force": True})
    await node.lcm.invoke("StopConfiguration", {"force": False})
    with pytest.raises(LcmError, match="Could not wait for the stopping event"):
        await node.push(document(fake("S2")), job_id=JOB.replace("1", "2"))
    assert node.lcm.state == "Busy"
    fault.is_stuck = False
    host = node.machine.area(Processes).provider_host
    node.machine.area(Processes).stop(host)

    assert node.machine.area(Processes).provider_host != host
    assert node.lcm.state == "PendingConfiguration"
    await node.apply(document(fake("S")))
    assert node.lcm.state == "Idle"


async def test_a_restart_gets_a_stuck_lcm_free_too() -> None:
    node, fault = faulty(is_stuck=True)
    await node.push(document(fake("S")))
    await until(lambda: bool(fault.seen))
    fault.is_stuck = False
    node.boot()
    await node.idle()

    assert node.lcm.state == "Idle"
    assert (await node.statuses())[0]["Type"] == "Reboot"


async def test_an_lcm_that_behaves_asks_for_nothing() -> None:
    usual = Behaved()
    assert usual.foreign_operation() is None
    assert not usual.lies("[A]b")
    assert not usual.ignores_stop()
    assert await usual.before_resource("[A]b", "Set") is None  # type: ignore[func-returns-value]
