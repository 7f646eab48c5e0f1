from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.addresses import NodeName
from provisioner.engine.failure import NodeFailure
from provisioner.engine.resume import adopt, fold
from provisioner.engine.work import PastLegs, job_id
from provisioner.events import (
    Compared,
    Event,
    JobFinished,
    JobStarted,
    NodeDone,
    Pushing,
    RebootFinished,
    RebootStarted,
    Recorded,
    RunFinished,
    RunStarted,
)
from provisioner.state.memory import MemoryStateStore
from tests.unit.engine.driving import control, controllers
from tests.unit.engine.model_node import KilledError, ModelResource, Trap, World, resources

HV = NodeName("hv01")


def two_legs() -> World:
    """A node that needs two jobs and a reboot between, and LCM settings first."""
    world = World(
        resources=[
            ModelResource("[WindowsFeature]iSCSI", is_done=True),
            ModelResource("[Service]first"),
            ModelResource("[WindowsFeature]Hyper-V", asks_reboot=True),
            ModelResource("[VMSwitch]external"),
        ]
    )
    world.settings["RebootNodeIfNeeded"] = True
    return world


def points_of(world: World) -> int:
    return controllers(world, MemoryStateStore(), [])


ALL_POINTS = range(points_of(two_legs()))


def assert_converged(world: World, legs: int) -> None:
    assert all(resource.is_done for resource in world.resources)
    assert len(world.jobs) <= legs
    assert world.pushes == len(world.jobs)
    assert world.boots == legs, "one reboot between two legs"
    assert world.restarts == legs - 1, "no reboot is ordered twice"


@pytest.mark.parametrize("point", ALL_POINTS)
def test_a_controller_killed_at_any_point_converges_when_started_again_with_no_more_jobs_than_legs(
    point: Any,
) -> None:
    world, store = two_legs(), MemoryStateStore()
    with pytest.raises(KilledError):
        control(world, store, Trap(point))
    had_ended = any(run.is_finished for run in store.runs())
    log = control(world, store, Trap())
    assert_converged(world, 2)
    done = log.one(NodeDone)
    assert (done.changed, done.reboots) == ((0, 0) if had_ended else (3, 1)), (
        "what the killed one did counts too"
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, len(ALL_POINTS) - 1), min_size=2, max_size=5), st.integers(0, 40))
def test_controllers_killed_again_and_again_never_start_more_jobs_than_legs(
    kill_points: Any, pause_s: Any
) -> None:
    world, store = two_legs(), MemoryStateStore()
    for point in kill_points:
        try:
            control(world, store, Trap(point))
        except KilledError:
            world.clock.time += pause_s
        else:
            break
    if store.unfinished("inv") or not store.runs():
        control(world, store, Trap())
    assert_converged(world, 2)


@pytest.mark.parametrize("point", range(0, len(ALL_POINTS), 3))
def test_after_a_pause_long_enough_for_the_job_to_end_unwatched_the_run_goes_on_from_there(
    point: Any,
) -> None:
    world, store = two_legs(), MemoryStateStore()
    with pytest.raises(KilledError):
        control(world, store, Trap(point))
    world.clock.time += 1000
    world.tick()
    control(world, store, Trap())
    assert_converged(world, 2)


def test_the_points_cover_pushes_reboots_and_records() -> None:
    assert len(ALL_POINTS) > 60


def test_a_changed_document_starts_with_a_fresh_leg_behind_the_old_ones() -> None:
    world, store = World(resources=resources("[Service]a", "[Service]b")), MemoryStateStore()
    for point in range(200):  # find the first point at which a job runs
        world, store = World(resources=resources("[Service]a", "[Service]b")), MemoryStateStore()
        with pytest.raises(KilledError):
            control(world, store, Trap(point))
        if any(isinstance(recorded.event, JobStarted) for recorded in store.events("run-1")):
            break
    world.resources.append(ModelResource("[Service]new"))
    log = control(world, store, Trap(), digest="d2")
    assert [event.leg for event in log.of(JobStarted)] == [2]
    assert [job.job_id for job in world.jobs] == [job_id("run-1", HV, 1), job_id("run-1", HV, 2)]
    assert all(resource.is_done for resource in world.resources)


def killed_after(kind: type[Event], world: World) -> MemoryStateStore:
    """Be killed right after the first event of a kind was recorded."""
    for point in range(1, 500):
        store, copy = MemoryStateStore(), deepcopy(world)
        with pytest.raises(KilledError):
            control(copy, store, Trap(point))
        if any(
            isinstance(recorded.event, kind) for run in store.runs() for recorded in store.events(run.run_id)
        ):
            store = MemoryStateStore()
            with pytest.raises(KilledError):
                control(world, store, Trap(point))
            return store
    raise AssertionError(kind)


def test_a_push_that_was_only_written_down_keeps_its_leg() -> None:
    world = World(resources=resources("[Service]a"))
    store = killed_after(Pushing, world)
    assert world.pushes == 0
    log = control(world, store, Trap())
    assert [event.leg for event in log.of(JobStarted)] == [1]


def test_a_push_that_was_only_written_down_waits_for_what_keeps_the_lcm_busy_now() -> None:
    world = World(resources=resources("[Service]a"))
    store = killed_after(Pushing, world)
    world.foreign_busy_until = world.clock.time + 60
    log = control(world, store, Trap())
    assert [event.attached for event in log.of(JobStarted)] == [False]
    assert world.pushes == 1


def test_a_job_that_failed_while_nobody_watched_is_tried_again_on_a_fresh_leg() -> None:
    world = World(resources=resources("[Service]a", error="the package is absent"))
    store = killed_after(JobStarted, world)
    world.clock.time += 100
    world.tick()
    assert world.state == "PendingConfiguration"
    world.resources[0].error = ""
    log = control(world, store, Trap())
    assert [event.leg for event in log.of(JobStarted)] == [1, 2]
    assert log.one(NodeDone).changed == 1


def test_a_job_that_fails_while_we_watch_again_is_a_failure() -> None:
    world = World(resources=resources("[Service]a", error="the package is absent"))
    store = killed_after(JobStarted, world)
    with pytest.raises(NodeFailure, match="the package is absent"):
        control(world, store, Trap())
    assert world.pushes == 1


def test_an_ended_run_is_not_adopted() -> None:
    world, store = World(resources=resources("[Service]a")), MemoryStateStore()
    control(world, store, Trap())
    assert adopt(store, "inv", {HV: "d1"}) is None


def test_an_interrupted_run_is_adopted_under_its_own_id() -> None:
    store = MemoryStateStore()
    events: list[Event] = [STARTED, Pushing(HV, "{J}", 1), RunFinished("r", 0, 0, 0, 1, 0, interrupted=True)]
    for number, event in enumerate(events, 1):
        store.append(Recorded("r", number, "2026-01-01T00:00:00+00:00", event))
    adopted = adopt(store, "inv", {HV: "d1"})
    assert adopted is not None
    assert (adopted.run_id, adopted.next_sequence) == ("r", 4)
    assert adopted.past[HV] == PastLegs(legs=1, is_open=True)


STARTED = RunStarted("r", "inv", "apply", ("hv01",), 1, {"hv01": "d1"})
FINISHED_1 = JobFinished(HV, "{J}", 1, "Success", "PendingReboot", True, ("[a]a",), (), 1.0)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([Compared(HV, ("[a]a",), 1)], PastLegs(differing=("[a]a",))),
        ([Pushing(HV, "{J}", 1)], PastLegs(legs=1, is_open=True)),
        ([Pushing(HV, "{J}", 1), JobStarted(HV, "{J}", 1)], PastLegs(legs=1, is_open=True)),
        ([Pushing(HV, "{J}", 1), FINISHED_1], PastLegs(legs=1, changed=("[a]a",))),
        (
            [Pushing(HV, "{J}", 1), FINISHED_1, RebootStarted(HV, "x", "T")],
            PastLegs(legs=1, changed=("[a]a",), reboot_boot_time="T"),
        ),
        ([RebootStarted(HV, "x", "T"), RebootFinished(HV, "U", 1.0)], PastLegs(reboots=1)),
    ],
)
def test_the_journal_of_a_node_folds_into_what_the_next_controller_must_know(
    events: Any, expected: Any
) -> None:
    stream: list[Event] = [STARTED, *events]
    recorded = [Recorded("r", number, "t", event) for number, event in enumerate(stream, 1)]
    assert fold(recorded, {HV: "d1"}) == {HV: expected}


def test_a_document_is_another_one_when_it_differs_from_what_was_last_sent_not_from_the_last_plan() -> None:
    stream: list[Event] = [
        STARTED,
        Pushing(HV, "{J}", 1),
        RunStarted("r", "inv", "apply", ("hv01",), 1, {"hv01": "d2"}),
    ]
    recorded = [Recorded("r", number, "t", event) for number, event in enumerate(stream, 1)]
    assert fold(recorded, {HV: "d1"})[HV].is_same_document
    assert not fold(recorded, {HV: "d2"})[HV].is_same_document
