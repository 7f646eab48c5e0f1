"""One suite for every executor: add a new one to `EXECUTORS`."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from collections.abc import Callable, Mapping
from graphlib import CycleError
from typing import Any

import pytest

from provisioner.addresses import NodeName
from provisioner.engine.executor import Executor, RunSummary
from provisioner.engine.local import LocalExecutor
from provisioner.engine.work import NodeWork, PollPolicy
from provisioner.errors import NodeError, StateError
from provisioner.events import (
    PREFLIGHT,
    CheckFinished,
    Connecting,
    Converged,
    JobStarted,
    NodeDone,
    NodeFailed,
    NodeSkipped,
    RunFinished,
    Waiting,
)
from provisioner.roles.model import After
from tests.unit.engine.driving import Log, options
from tests.unit.engine.model_node import FakeClock, ModelNode, ModelResource, World, resources, work_for

EXECUTORS: list[Callable[[], Executor]] = [LocalExecutor]
pytestmark = pytest.mark.parametrize(
    "executor", [kind() for kind in EXECUTORS], ids=lambda item: type(item).__name__
)

Worlds = dict[str, World]
#: All nodes live in the same time.
CLOCK = FakeClock()


def fleet(*names: str, **changes: Any) -> tuple[Worlds, list[NodeWork]]:
    worlds = {name: World(CLOCK, resources("[Service]a", **changes)) for name in names}
    return worlds, [work_for(ModelNode(name, world)) for name, world in worlds.items()]


async def run(
    executor: Executor, works: list[NodeWork], verifier: Any = None, **changes: Any
) -> tuple[RunSummary, Log]:
    log = Log()
    chosen = options(World(CLOCK), **changes)
    summary = await executor.run("run-1", works, chosen, verifier=verifier, record=log.append)
    return summary, log


async def until(holds: Callable[[], bool]) -> None:
    """Let the others work until something holds; there is nothing to wait for but their steps."""
    while not holds():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0)


def passing(outcome: str = "passed") -> Any:
    batches: list[tuple[str, ...]] = []

    async def verifier(batch: Mapping[NodeName, Any], report: Callable[[CheckFinished], None]) -> None:
        batches.append(tuple(batch))
        await asyncio.sleep(0)
        for name, api in batch.items():
            assert api.is_open, "checks run over the open session"
            report(CheckFinished(name, "role", "answers", outcome, "no" if outcome != "passed" else ""))

    verifier.batches = batches  # type: ignore[attr-defined]
    return verifier


async def test_every_node_is_applied_checked_and_its_session_closed(executor: Any) -> None:
    worlds, works = fleet("a", "b", "c")
    summary, log = await run(executor, works, passing())
    assert summary == RunSummary(tuple(work.name for work in works), (), (), 3, 0)
    assert summary.is_good
    assert [event.checks for event in log.of(NodeDone)] == [1, 1, 1]
    assert log[-1] == RunFinished("run-1", 3, 0, 0, 0, 0)
    assert [world.open_sessions for world in worlds.values()] == [0, 0, 0]


async def test_a_second_run_changes_nothing(executor: Any) -> None:
    worlds, works = fleet("a", "b")
    await run(executor, works)
    summary, log = await run(executor, works)
    assert summary.changed == 0
    assert {event.changed for event in log.of(NodeDone)} == {0}
    assert [world.pushes for world in worlds.values()] == [1, 1]


async def test_one_failing_node_never_stops_the_others(executor: Any) -> None:
    worlds, works = fleet("a", "b", "c")
    worlds["a"].resources[0].error = "no"
    worlds["b"].cuts.append((0.0, 1e9))
    summary, log = await run(executor, works)
    assert summary.failed == ("a", "b")
    assert summary.done == ("c",)
    assert not summary.is_good
    assert len(log.of(NodeFailed)) == 2


async def test_a_bug_in_one_node_never_stops_the_others(executor: Any) -> None:
    _, works = fleet("a", "b")

    def broken() -> Any:
        raise KeyError("oops")

    works[0] = dataclasses.replace(works[0], connect=broken)
    summary, log = await run(executor, works)
    assert summary.done == ("b",)
    assert "This is a bug in provisioner" in log.one(NodeFailed).problems[0].message


async def test_no_more_nodes_are_at_work_at_once_than_allowed(executor: Any) -> None:
    _, works = fleet(*"abcdef")
    active: set[str] = set()
    most = 0

    def watched(work: NodeWork) -> NodeWork:
        node: Any = work.connect()
        open_, close = node.open, node.close

        async def opened() -> None:
            nonlocal most
            active.add(work.name)
            most = max(most, len(active))
            await open_()

        async def closed() -> None:
            await close()
            active.discard(work.name)

        node.open, node.close = opened, closed
        return work

    works = [watched(work) for work in works]
    await run(executor, works, parallel=2)
    assert most == 2
    most = 0
    await run(executor, works, parallel=0)
    assert most == 6


async def test_checks_of_nodes_that_converge_together_run_in_one_batch(executor: Any) -> None:
    _, works = fleet(*"abcd", is_done=True)
    verifier = passing()
    await run(executor, works, verifier, parallel=0)
    assert sorted(name for batch in verifier.batches for name in batch) == list("abcd")
    assert len(verifier.batches) < 4


@pytest.mark.parametrize("outcome", ["failed", "error"])
async def test_a_bad_check_fails_its_node_and_is_named(executor: Any, outcome: Any) -> None:
    _, works = fleet("a")
    summary, log = await run(executor, works, passing(outcome))
    assert summary.failed == ("a",)
    failed = log.one(NodeFailed)
    assert (failed.kind, failed.problems[0].resource, failed.problems[0].message) == (
        "CheckFailed",
        "role: answers",
        "no",
    )
    assert failed.changed == 1


async def test_a_skipped_check_is_neither_passed_nor_failed(executor: Any) -> None:
    _, works = fleet("a")
    _, log = await run(executor, works, passing("skipped"))
    assert log.one(NodeDone).checks == 0


async def test_checks_may_report_from_another_thread(executor: Any) -> None:
    _, works = fleet("a")

    async def verifier(batch: Mapping[NodeName, Any], report: Callable[[CheckFinished], None]) -> None:
        def work() -> None:
            for name in batch:
                report(CheckFinished(name, "role", threading.current_thread().name, "passed"))

        await asyncio.to_thread(work)

    _, log = await run(executor, works, verifier)
    assert log.one(NodeDone).checks == 1
    assert log.one(CheckFinished).check != threading.current_thread().name


@pytest.mark.parametrize(
    ("error", "word"), [(KeyError("x"), "This is a bug"), (NodeError("a", "gone"), "could not be run")]
)
async def test_checks_that_break_fail_their_nodes_only(executor: Any, error: Any, word: Any) -> None:
    _, works = fleet("a", "b")
    works[1] = dataclasses.replace(works[1], connect=lambda: (_ for _ in ()).throw(NodeError("b", "no")))

    async def verifier(_batch: Any, _report: Any) -> None:
        raise error

    summary, log = await run(executor, works, verifier)
    assert summary.failed == ("a", "b")
    failed = next(event for event in log.of(NodeFailed) if event.node == "a")
    assert word in failed.problems[0].message


async def test_an_interrupted_run_ends_in_good_order(executor: Any) -> None:
    worlds, works = fleet("a", "b", "c", seconds=1e9)
    worlds["c"].resources[0].is_done = True
    log = Log()
    chosen = options(World(CLOCK), parallel=0, poll=PollPolicy(first_s=0.0))
    task = asyncio.create_task(executor.run("run-1", works, chosen, verifier=None, record=log.append))
    await until(lambda: len(log.of(NodeDone)) == 1 and len(log.of(JobStarted)) == 2)
    task.cancel()
    summary = await task
    a, b, c = (work.name for work in works)
    assert summary == RunSummary((c,), (), (a, b), 0, 0, interrupted=True)
    assert all("LCM job goes on" in event.because for event in log.of(NodeSkipped))
    assert log.one(RunFinished).interrupted
    assert [world.open_sessions for world in worlds.values()] == [0, 0, 0]
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_run_interrupted_before_it_began_says_that_nothing_was_done(executor: Any) -> None:
    _, works = fleet("a", "b", seconds=1e9)
    log = Log()
    chosen = options(World(CLOCK), parallel=1)
    task = asyncio.create_task(executor.run("run-1", works, chosen, verifier=None, record=log.append))
    await until(lambda: bool(log))
    task.cancel()
    await task
    assert {event.because for event in log.of(NodeSkipped)} == {"interrupted before anything was done"}


async def test_a_broken_journal_ends_the_run_and_closes_the_sessions(executor: Any) -> None:
    worlds, works = fleet("a", "b")
    seen = 0

    def record(_event: object) -> None:
        nonlocal seen
        seen += 1
        if seen > 4:
            raise StateError("the disk is full")

    with pytest.raises(StateError, match="disk is full"):
        await executor.run("run-1", works, options(World(CLOCK)), verifier=None, record=record)
    assert [world.open_sessions for world in worlds.values()] == [0, 0]


async def test_a_run_over_no_nodes_ends_at_once(executor: Any) -> None:
    summary, log = await run(executor, [])
    assert summary.is_good
    assert log.names() == ["RunFinished"]


async def test_reboots_of_all_nodes_are_summed(executor: Any) -> None:
    worlds, works = fleet("a", "b")
    for world in worlds.values():
        world.resources.append(ModelResource("[f]x", asks_reboot=True))
    summary, _ = await run(executor, works)
    assert summary.reboots == 2


def ordered(works: list[NodeWork], **after: str) -> list[NodeWork]:
    """Have nodes come after others: ``c="ab"``; the reason is the same for all."""
    return [
        dataclasses.replace(
            work,
            after=tuple(After(NodeName(name), "it is formed there") for name in after.get(work.name, "")),
        )
        for work in works
    ]


def places(log: Log, kind: type[Any]) -> dict[str, int]:
    return {event.node: place for place, event in enumerate(log) if isinstance(event, kind)}


@pytest.mark.parametrize("parallel", [0, 1, 2])
async def test_a_node_begins_when_those_before_it_are_done_whatever_the_number_of_turns(
    executor: Any, parallel: int
) -> None:
    _, works = fleet(*"abcd")
    summary, log = await run(executor, ordered(works, a="bc", b="d", c="d"), passing(), parallel=parallel)
    assert summary.is_good
    done, began = places(log, NodeDone), places(log, Connecting)
    assert done["d"] < min(began["b"], began["c"])
    assert max(done["b"], done["c"]) < began["a"]
    waiting = {event.node: event for event in log.of(Waiting)}
    assert waiting[NodeName("a")] == Waiting(NodeName("a"), ("b", "c"), "it is formed there")
    assert "d" not in waiting


async def test_a_node_that_waits_takes_no_turn(executor: Any) -> None:
    """With turns for all but the one that is waited for, a run in which the waiting held theirs would never end."""
    _, works = fleet(*"abcdef")
    summary, _ = await run(executor, ordered(works, a="f", b="f", c="f", d="f", e="f"), passing(), parallel=1)
    assert summary.is_good


async def test_a_node_is_waited_for_until_its_checks_have_passed(executor: Any) -> None:
    _, works = fleet("a", "b")
    summary, log = await run(executor, ordered(works, b="a"), passing("failed"))
    assert (summary.failed, summary.skipped) == (("a",), ("b",))
    assert places(log, Converged).keys() == {"a"}
    because = log.one(NodeSkipped).because
    assert because == "waits for 'a' (it is formed there), but 'a' failed: no"


async def test_who_waits_for_a_skipped_node_is_skipped_too_and_hears_what_failed_first(executor: Any) -> None:
    worlds, works = fleet(*"abcd")
    worlds["a"].resources[0].error = "no room"
    summary, log = await run(executor, ordered(works, b="a", c="b"))
    assert (summary.done, summary.failed, summary.skipped) == (("d",), ("a",), ("b", "c"))
    skipped = {event.node: event.because for event in log.of(NodeSkipped)}
    assert skipped[NodeName("c")] == "waits for 'b' (it is formed there), but 'a' failed: no room"
    assert worlds["b"].pushes == worlds["c"].pushes == 0
    assert places(log, Connecting).keys() == {"a", "d"}


async def test_one_that_failed_is_enough_to_wait_no_longer(executor: Any) -> None:
    worlds, works = fleet("a", "b", "c", seconds=1e9)
    worlds["a"].resources[0].error, worlds["a"].resources[0].seconds = "no", 1
    log = Log()
    chosen = options(World(CLOCK), parallel=0, poll=PollPolicy(first_s=0.0))
    works = ordered(works, c="ba")
    task = asyncio.create_task(executor.run("run-1", works, chosen, verifier=None, record=log.append))
    await until(lambda: bool(log.of(NodeSkipped)))
    assert log.one(NodeSkipped).node == "c"
    task.cancel()
    await task


async def test_nodes_that_are_not_in_the_run_are_not_waited_for(executor: Any) -> None:
    _, works = fleet("a", "b")
    summary, log = await run(executor, ordered(works, a="xy"))
    assert summary.is_good
    assert not log.of(Waiting)


async def test_the_reason_is_told_anew_when_another_one_holds_the_node_back(executor: Any) -> None:
    _, works = fleet("a", "b", "c")
    after = (After(NodeName("a"), "its disks come from there"), After(NodeName("b"), "it is formed there"))
    works[1] = ordered(works, b="a")[1]
    works[2] = dataclasses.replace(works[2], after=after)
    _, log = await run(executor, works)
    told = [(event.for_nodes, event.reason) for event in log.of(Waiting) if event.node == "c"]
    assert told == [(("a",), "its disks come from there"), (("b",), "it is formed there")]


async def test_a_run_interrupted_while_nodes_wait_says_that_nothing_was_done_to_them(executor: Any) -> None:
    worlds, works = fleet("a", "b", seconds=1e9)
    log = Log()
    chosen = options(World(CLOCK), poll=PollPolicy(first_s=0.0))
    works = ordered(works, b="a")
    task = asyncio.create_task(executor.run("run-1", works, chosen, verifier=None, record=log.append))
    await until(lambda: bool(log.of(JobStarted)))
    task.cancel()
    summary = await task
    assert summary.skipped == ("a", "b")
    assert {event.node: event.because for event in log.of(NodeSkipped)}[NodeName("b")] == (
        "interrupted before anything was done"
    )
    assert worlds["b"].pushes == 0
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_hundred_nodes_wait_for_a_hundred_others(executor: Any) -> None:
    _, works = fleet(*(f"n{number}" for number in range(200)), is_done=True)
    first = tuple(After(work.name, "it is formed there") for work in works[:100])
    works[100:] = [dataclasses.replace(work, after=first) for work in works[100:]]
    began = time.process_time()
    summary, log = await run(executor, works, passing())
    assert summary.is_good
    assert len(log.of(Waiting)) == 100
    assert time.process_time() - began < 10


async def test_a_circle_is_a_bug_and_no_endless_wait(executor: Any) -> None:
    _, works = fleet("a", "b")
    with pytest.raises(CycleError):
        await run(executor, ordered(works, a="b", b="a"))


async def test_only_nodes_with_a_preflight_are_asked_and_one_that_fails_stops_no_other(executor: Any) -> None:
    worlds, works = fleet("a", "b", "c")
    works[:2] = [dataclasses.replace(work, has_preflight=True) for work in works[:2]]
    asked: list[str] = []

    async def preflight(batch: Mapping[NodeName, Any], report: Callable[[CheckFinished], None]) -> None:
        for name in batch:
            asked.append(name)
            outcome = "failed" if name == "a" else "passed"
            report(CheckFinished(name, "role", "room", outcome, "no room", stage=PREFLIGHT))

    log = Log()
    summary = await executor.run(
        "run-1", works, options(World(CLOCK)), verifier=passing(), record=log.append, preflight=preflight
    )
    assert sorted(asked) == ["a", "b"]
    assert (summary.failed, summary.done) == (("a",), ("b", "c"))
    assert [world.pushes for world in worlds.values()] == [0, 1, 1]
    assert log.one(NodeFailed).kind == "PreflightFailed"
    assert [event.checks for event in log.of(NodeDone)] == [1, 1], "those of the preflight are not counted"
