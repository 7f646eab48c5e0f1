from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from provisioner.engine.machine import NodeState
from provisioner.engine.work import Limits, job_id
from provisioner.errors import AuthenticationError, CommandError, ConnectError, LcmError, TransportTimeout
from provisioner.events import (
    Compared,
    Connecting,
    ConnectionLost,
    Converged,
    JobFinished,
    JobStarted,
    LcmBusy,
    MetaConfigurationApplied,
    NodeDone,
    NodeFailed,
    Problem,
    RebootFinished,
    RebootStarted,
    ResourceProgress,
)
from provisioner.node.base import ConfigurationStatus, ResourceState
from provisioner.node.base import TestOutcome as Outcome
from tests.unit.engine.driving import apply
from tests.unit.engine.model_node import ModelNode, ModelResource, World, resources, work_for


def failure(world: World, **changes: object) -> NodeFailed:
    log, flow = apply(world, **changes)  # type: ignore[arg-type]
    assert flow.machine.state is NodeState.FAILED
    return log.one(NodeFailed)


def with_api(world: World, **methods: object) -> Any:
    """Work for a node of which some methods behave otherwise."""
    node = ModelNode("hv01", world)
    for name, method in methods.items():
        setattr(node, name, method)
    return work_for(node)


def raising(error: Exception) -> Any:
    async def method(*_: object) -> None:
        raise error

    return method


def test_a_node_in_desired_state_gets_no_job_and_counts_no_change() -> None:
    world = World(resources=resources("[Service]a", "[Service]b", is_done=True))
    log, _ = apply(world)
    assert log.names() == ["Connecting", "Connected", "Compared", "Converged", "NodeDone"]
    assert log.one(NodeDone).changed == 0
    assert (world.pushes, world.meta_pushes, world.restarts, world.tests) == (0, 0, 0, 1)


def test_a_differing_resource_is_pushed_followed_and_tested_again() -> None:
    world = World(resources=[ModelResource("[Service]a"), ModelResource("[Service]b", is_done=True)])
    log, _ = apply(world)
    assert world.pushes == 1
    assert log.one(JobStarted).job_id == job_id("run-1", log.one(JobStarted).node, 1)
    assert log.one(JobFinished).changed == ("[Service]a",)
    assert [event.final for event in log.of(Compared)] == [False, True]
    assert log.one(NodeDone).changed == 1
    assert log.of(ResourceProgress)[0].resource == "[Service]a"


def test_a_second_run_starts_no_job() -> None:
    world = World(resources=resources("[Service]a"))
    apply(world)
    apply(world)
    assert world.pushes == 1


def test_job_ids_are_guids_that_differ_by_run_node_and_leg_and_never_by_call() -> None:
    hv, other = work_for(ModelNode("hv01", World())).name, work_for(ModelNode("hv02", World())).name
    ids = {job_id("r", hv, 1), job_id("r", hv, 2), job_id("r", other, 1), job_id("s", hv, 1)}
    assert len(ids) == 4
    assert job_id("r", hv, 1) == job_id("r", hv, 1)
    assert all(len(item) == 38 and item == item.upper() and item[0] + item[-1] == "{}" for item in ids)


def test_settings_are_sent_only_when_they_differ_and_by_name() -> None:
    world = World(resources=resources("[Service]a", is_done=True))
    world.settings["RebootNodeIfNeeded"] = True
    log, _ = apply(world)
    assert log.one(MetaConfigurationApplied).settings == ("RebootNodeIfNeeded",)
    assert world.meta_pushes == 1


def test_settings_that_do_not_stick_are_an_error_that_names_them() -> None:
    world = World(resources=resources("[Service]a"), settings_stick=False)
    world.settings["RebootNodeIfNeeded"] = True
    assert "RebootNodeIfNeeded" in failure(world).problems[0].message
    assert world.pushes == 0


def test_a_role_with_two_features_that_each_need_a_reboot_takes_three_legs() -> None:
    world = World(resources=resources("[WindowsFeature]a", "[WindowsFeature]b", asks_reboot=True))
    log, _ = apply(world)
    assert [event.leg for event in log.of(JobStarted)] == [1, 2, 3]
    assert len(log.of(RebootFinished)) == world.restarts == 2
    assert log.of(RebootStarted)[0].because == "[WindowsFeature]a asked for it"
    done = log.one(NodeDone)
    assert (done.changed, done.reboots) == (2, 2)


@pytest.mark.parametrize("tells_changes", [True, False])
def test_changes_are_counted_with_and_without_the_newer_properties_of_the_lcm(tells_changes: Any) -> None:
    world = World(
        resources=[
            ModelResource("[a]done", is_done=True),
            ModelResource("[b]new"),
            ModelResource("[c]reboot", asks_reboot=True),
            ModelResource("[d]after"),
        ],
        tells_changes=tells_changes,
    )
    log, _ = apply(world)
    assert log.one(Converged).changed == ("[b]new", "[c]reboot", "[d]after")


def test_a_pending_reboot_of_somebody_else_comes_first() -> None:
    world = World(resources=resources("[Service]a"), state="PendingReboot")
    log, _ = apply(world)
    names = log.names()
    assert names.index("RebootFinished") < names.index("Compared")
    assert log.one(NodeDone).reboots == 1


def test_a_reboot_nobody_allows_fails_the_node_and_tells_how_to_allow_it() -> None:
    asked = []

    async def no(node: object, because: str) -> bool:
        asked.append(because)
        return False

    world = World(resources=[ModelResource("[a]first"), ModelResource("[b]reboot", asks_reboot=True)])
    failed = failure(world, allow_reboot=no)
    assert failed.kind == "RebootRefused"
    assert failed.changed == 2
    assert failed.last_lcm_state == "PendingReboot"
    assert "--yes" in failed.problems[0].help
    assert asked == ["[b]reboot asked for it"]
    assert world.restarts == 0


def test_a_node_with_running_virtual_machines_is_not_rebooted_without_the_flag() -> None:
    world = World(resources=resources("[a]reboot", asks_reboot=True), machines=("db", "app"))
    failed = failure(world)
    assert failed.kind == "RebootRefused"
    assert "app, db" in failed.problems[0].message
    assert world.restarts == 0
    world = World(resources=resources("[a]reboot", asks_reboot=True), machines=("db",))
    apply(world, reboot_running_vms=True)
    assert world.restarts == 1


def test_a_failing_resource_is_named_with_its_line_its_error_id_and_its_category() -> None:
    world = World(
        resources=[
            ModelResource("[File]ok"),
            ModelResource("[WindowsFeature]Hyper-VV", error="no such feature"),
        ]
    )
    failed = failure(world)
    assert failed.problems == (
        Problem(
            "no such feature",
            "[WindowsFeature]Hyper-VV",
            "roles/r/role.yaml:11:3",
            "ProviderOperationExecutionFailure",
            "InvalidOperation",
        ),
    )
    assert failed.last_lcm_state == "PendingConfiguration"
    assert failed.changed == 1


def test_a_resource_that_asks_for_reboots_for_ever_is_stopped_and_named() -> None:
    world = World(resources=resources("[x]endless", asks_reboot=True, never_settles=True))
    failed = failure(world, max_legs=3)
    assert world.pushes == 3
    assert failed.problems[0].resource == "[x]endless"
    assert failed.problems[0].position == "roles/r/role.yaml:10:3"


def test_a_resource_whose_test_says_no_after_its_set_said_yes_did_not_converge() -> None:
    failed = failure(World(resources=resources("[x]liar", lies=True)))
    assert failed.problems[0].resource == "[x]liar"
    assert "still not in desired state" in failed.problems[0].message


def test_a_short_cut_is_ridden_out_on_the_same_job() -> None:
    world = World(resources=resources("[a]slow", seconds=60.0), cuts=[(5.0, 10.0)])
    log, _ = apply(world)
    assert len(log.of(ConnectionLost)) == 1
    assert world.pushes == 1
    assert log.one(NodeDone).changed == 1


def test_a_cut_for_good_names_the_last_known_lcm_state_and_a_new_run_completes_it() -> None:
    world = World(resources=resources("[a]slow", seconds=60.0), cuts=[(5.0, 1e9)])
    failed = failure(world)
    assert failed.kind == "ConnectError"
    assert failed.last_lcm_state == "Busy"
    assert "Busy" in failed.problems[0].message
    world.cuts.clear()
    log, _ = apply(world)
    assert log.one(NodeDone).changed == 0
    assert world.pushes == 1


def test_a_push_whose_answer_is_lost_is_not_sent_twice() -> None:
    world = World(resources=resources("[a]x"))
    node = ModelNode("hv01", world)
    original = node.start

    async def start(document: bytes, job: str) -> None:
        await original(document, job)
        node.is_open = False
        raise ConnectError("hv01", "http://node", "reset")

    node.start = start  # type: ignore[method-assign, assignment]
    log, _ = apply(world, work=work_for(node))
    assert world.pushes == 1
    assert log.one(JobStarted).attached


def test_a_push_that_never_arrived_is_sent_again_under_the_same_id() -> None:
    world = World(resources=resources("[a]x"))
    node = ModelNode("hv01", world)
    original, calls = node.start, []

    async def start(document: bytes, job: str) -> None:
        calls.append(job)
        if len(calls) == 1:
            raise ConnectError("hv01", "http://node", "reset")
        await original(document, job)

    node.start = start  # type: ignore[method-assign, assignment]
    log, _ = apply(world, work=work_for(node))
    assert len(calls) == 2
    assert len(set(calls)) == 1
    assert not log.one(JobStarted).attached


def test_a_node_that_restarts_by_itself_under_the_job_gets_the_next_leg() -> None:
    world = World(resources=resources("[a]slow", seconds=60.0), goes_down_at=10.0)
    log, _ = apply(world)
    assert [event.leg for event in log.of(JobStarted)] == [1, 2]
    assert log.of(JobFinished)[0].status == "Unknown"
    assert world.restarts == 0
    assert log.one(NodeDone).reboots == 1


def test_a_busy_lcm_is_waited_for_and_shown_once() -> None:
    world = World(resources=resources("[a]x"), foreign_busy_until=30.0)
    log, _ = apply(world)
    assert [event.detail for event in log.of(LcmBusy)] == ["LCM is busy."]
    assert log.one(NodeDone).changed == 1


def test_an_lcm_that_stays_busy_is_left_alone() -> None:
    world = World(resources=resources("[a]x"), foreign_busy_until=1e9)
    failed = failure(world)
    assert failed.last_lcm_state == "Busy"
    assert "LCM is busy." in failed.problems[0].message
    assert world.pushes == 0


def test_an_lcm_that_becomes_busy_between_question_and_call_is_waited_for() -> None:
    world = World(resources=resources("[a]x"))
    node = ModelNode("hv01", world)
    original = node.test

    async def test(document: bytes) -> Outcome:
        if world.foreign_busy_until < 0:
            world.foreign_busy_until = world.clock.time + 20
        return await original(document)

    node.test = test  # type: ignore[method-assign]
    log, _ = apply(world, work=work_for(node))
    assert log.one(NodeDone).changed == 1


@pytest.mark.parametrize("call", ["test", "start"])
def test_a_refusal_by_an_lcm_that_is_idle_again_when_asked_is_waited_for_too(call: str) -> None:
    world = World(resources=resources("[a]x"))
    node = ModelNode("hv01", world)
    original = getattr(node, call)
    refusals = [
        "Cannot invoke the X cmdlet. The Y cmdlet is in progress and must return before X can be invoked."
    ]

    async def refused_once(*arguments: Any) -> Any:
        if refusals:
            raise LcmError("hv01", refusals.pop(), "MI RESULT 1")
        return await original(*arguments)

    setattr(node, call, refused_once)
    log, _ = apply(world, work=work_for(node))
    assert log.one(NodeDone).changed == 1
    assert len(world.jobs) == 1


def test_a_node_lost_right_after_the_push_is_last_known_to_be_busy() -> None:
    world = World(resources=resources("[a]x", seconds=1e6))
    node = ModelNode("hv01", world)
    original = node.start

    async def start(document: bytes, job_id: str) -> None:
        await original(document, job_id)
        world.cuts.append((world.clock.time, 1e9))

    node.start = start  # type: ignore[method-assign]
    log, _ = apply(world, work=work_for(node))
    assert log.one(NodeFailed).last_lcm_state == "Busy"


def test_an_unreachable_node_is_tried_twice_and_then_given_up() -> None:
    world = World(resources=resources("[a]x"), cuts=[(0.0, 1e9)])
    log, _ = apply(world)
    assert [event.attempt for event in log.of(Connecting)] == [1, 2]
    assert log.one(NodeFailed).kind == "ConnectError"
    assert "http://node" in log.one(NodeFailed).problems[0].message


def test_a_wrong_password_is_not_tried_again() -> None:
    work = with_api(World(), open=raising(AuthenticationError("hv01", "http://node", "refused")))
    log, _ = apply(World(), work=work)
    assert len(log.of(Connecting)) == 1
    assert log.one(NodeFailed).kind == "AuthenticationError"


def test_a_job_that_never_ends_is_given_up_but_not_stopped() -> None:
    world = World(resources=resources("[a]x", seconds=1e6))
    work = dataclasses.replace(work_for(ModelNode("hv01", world)), limits=Limits(job_timeout_s=100))
    failed = failure(world, work=work)
    assert "did not end within 100 s" in failed.problems[0].message


def test_a_node_that_does_not_come_back_is_a_reboot_timeout() -> None:
    world = World(resources=resources("[a]x", asks_reboot=True), cuts=[(5.0, 1e9)])
    failed = failure(world)
    assert failed.kind == "RebootTimeout"


def test_a_refused_document_is_an_error_about_the_resource_it_names() -> None:
    world = World(resources=resources("[Service]nova", "[Service]nova-compute"))
    work = with_api(world, start=raising(LcmError("hv01", "bad [Service]nova-compute here", "MI RESULT 4")))
    (problem,) = failure(world, work=work).problems
    assert (problem.resource, problem.error_id) == ("[Service]nova-compute", "MI RESULT 4")


def test_an_absent_module_stops_the_node_before_anything_is_written() -> None:
    world = World(resources=resources("[xVMSwitch]external", "[Service]x"))
    message = "The PowerShell DSC resource MSFT_xVMSwitch from module <xHyper-V,3.18.0> does not exist"
    error = CommandError("hv01", "Invoke-CimMethod", message, "DscResourceNotFound", "InvalidOperation")
    failed = failure(world, work=with_api(world, test=raising(error)))
    assert failed.kind == "CommandError"
    assert failed.problems[0].resource == "[xVMSwitch]external"
    assert failed.problems[0].position == "roles/r/role.yaml:10:3"
    assert world.pushes == 0


def test_an_absent_module_told_per_resource_stops_the_node_too() -> None:
    async def test(_: bytes) -> Outcome:
        state = ResourceState(
            "[xVMSwitch]external", False, "not there", "DscResourceNotFound", "InvalidOperation"
        )
        return Outcome(False, (state,))

    world = World(resources=resources("[xVMSwitch]external"))
    assert failure(world, work=with_api(world, test=test)).problems[0].error_id == "DscResourceNotFound"
    assert world.pushes == 0


def test_a_test_that_fails_before_the_push_counts_as_differing() -> None:
    world = World(resources=resources("[xVMSwitch]external", "[Service]x"))
    node = ModelNode("hv01", world)
    original = node.test

    async def test(document: bytes) -> Outcome:
        if not world.pushes:
            raise LcmError("hv01", "[xVMSwitch]external: Get-VMSwitch is not recognized", "MI RESULT 1")
        return await original(document)

    node.test = test  # type: ignore[method-assign]
    log, _ = apply(world, work=work_for(node))
    first = log.of(Compared)[0]
    assert first.differing == ("[xVMSwitch]external",)
    assert first.error == "[xVMSwitch]external: Get-VMSwitch is not recognized"
    assert log.one(NodeDone).changed == 2


def failing(times: int, original: Any, error: Exception) -> Any:
    """A method that fails the first few times."""
    left = times

    async def method(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left >= 0:
            raise error
        return await original(*arguments)

    return method


def test_wmi_that_stumbles_while_a_job_runs_is_asked_again() -> None:
    world = World(resources=resources("[a]x", seconds=60.0))
    node = ModelNode("hv01", world)
    original, calls = node.meta_configuration, 0

    async def meta_configuration() -> Any:
        nonlocal calls
        calls += 1
        if calls in {4, 5}:
            raise LcmError("hv01", "WMI is shutting down", "HRESULT 0x80041033")
        return await original()

    node.meta_configuration = meta_configuration  # type: ignore[method-assign]
    log, _ = apply(world, work=work_for(node))
    assert log.one(NodeDone).changed == 1


@pytest.mark.parametrize(("times", "is_good"), [(2, True), (99, False)])
def test_a_test_that_breaks_the_connection_is_asked_again_but_not_for_ever(times: int, is_good: bool) -> None:  # noqa: FBT001
    world = World(resources=resources("[a]x", is_done=True))
    node = ModelNode("hv01", world)
    node.test = failing(times, node.test, TransportTimeout("hv01", "http://node", "no answer"))  # type: ignore[method-assign]
    log, _ = apply(world, work=work_for(node))
    assert bool(log.of(NodeDone)) is is_good
    assert len(log.of(ConnectionLost)) <= 5


def test_a_question_that_always_breaks_the_connection_is_given_up() -> None:
    world = World(resources=resources("[a]x", asks_reboot=True))
    node = ModelNode("hv01", world)
    broken = failing(99, None, ConnectError("hv01", "http://node", "reset"))
    node.running_virtual_machines = broken  # type: ignore[method-assign]
    assert failure(world, work=work_for(node)).kind == "ConnectError"
    assert world.restarts == 0


def test_a_push_that_always_breaks_the_connection_is_given_up() -> None:
    world = World(resources=resources("[a]x"))
    node = ModelNode("hv01", world)
    node.start = failing(99, None, ConnectError("hv01", "http://node", "reset"))  # type: ignore[method-assign]
    assert failure(world, work=work_for(node)).kind == "ConnectError"
    assert world.pushes == 0


def test_a_restart_whose_answer_is_lost_is_ordered_again_only_when_the_node_stays_up() -> None:
    world = World(resources=resources("[a]x", asks_reboot=True))
    node = ModelNode("hv01", world)
    node.restart = failing(1, node.restart, ConnectError("hv01", "http://node", "reset"))  # type: ignore[method-assign]
    log, _ = apply(world, work=work_for(node))
    assert world.restarts == 1
    assert len(log.of(RebootStarted)) == 1
    assert log.one(NodeDone).reboots == 1


def test_a_node_that_refuses_a_second_order_because_it_obeys_the_first_is_waited_for() -> None:
    world = World(resources=resources("[a]x", asks_reboot=True))
    node = ModelNode("hv01", world)
    order = node.restart
    orders = 0

    async def restart() -> None:
        nonlocal orders
        orders += 1
        if orders > 1:
            raise CommandError(node.name, "Restart-Computer", "A system shutdown is in progress.", "", "")
        await order()
        world.goes_down_at = world.clock.time + 60
        raise ConnectError("hv01", "http://node", "reset")

    node.restart = restart  # type: ignore[method-assign]
    log, _ = apply(world, work=work_for(node))
    assert orders > 1
    assert log.one(NodeDone).reboots == world.restarts == 1


def test_an_lcm_that_is_busy_again_just_when_its_job_has_ended_is_asked_later() -> None:
    world = World(resources=resources("[a]x"))
    node = ModelNode("hv01", world)
    answer = node.statuses

    async def statuses() -> tuple[ConfigurationStatus, ...]:
        if world.foreign_busy_until < 0:
            world.foreign_busy_until = world.clock.time + 20
        if world.is_busy:
            raise LcmError(node.name, "Die Methode wird ausgeführt.", "MI RESULT 1")
        return await answer()

    node.statuses = statuses  # type: ignore[method-assign]
    log, _ = apply(world, work=work_for(node))
    assert log.one(JobFinished).status == "Success"
    assert log.one(NodeDone).changed == 1


def test_a_bug_in_the_flow_says_that_it_is_one() -> None:
    failed = failure(World(), work=with_api(World(), boot_state=raising(KeyError("oops"))))
    assert failed.kind == "KeyError"
    assert failed.problems[0].message.startswith("This is a bug in provisioner")
