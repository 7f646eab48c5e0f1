from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from provisioner.addresses import NodeName
from provisioner.engine.executor import RunSummary
from provisioner.engine.verify_run import VerifyWork, run_checks
from provisioner.engine.work import Verifier
from provisioner.errors import AuthenticationError, LcmError
from provisioner.events import (
    CheckFinished,
    Connected,
    Connecting,
    Event,
    NodeDone,
    NodeFailed,
    NodeSkipped,
    RunFinished,
)
from provisioner.node.base import NodeApi
from tests.unit.engine.driving import Log
from tests.unit.engine.model_node import EPOCH, ModelNode, World

Report = Callable[[CheckFinished], None]


def check(node: str, outcome: str, message: str = "", name: str = "test_it") -> CheckFinished:
    return CheckFinished(NodeName(node), "web", name, outcome, message)


def answering(**outcomes: list[tuple[str, str]]) -> Verifier:
    """A verifier that reports the given (outcome, message) of every node it is handed, one passed by default."""

    async def verifier(batch: Mapping[NodeName, NodeApi], report: Report) -> None:
        for name in batch:
            await asyncio.sleep(0)
            for outcome, message in outcomes.get(name, [("passed", "")]):
                report(check(name, outcome, message))

    return verifier


def work(node: ModelNode) -> VerifyWork:
    return VerifyWork(node.name, lambda: node)


def run(*nodes: ModelNode, verifier: Verifier | None = None, parallel: int = 10) -> tuple[Log, RunSummary]:
    log = Log()
    works = [work(node) for node in nodes]
    summary = asyncio.run(run_checks("r", works, verifier or answering(), log.append, parallel))
    assert all(node.world.open_sessions == 0 for node in nodes), "a session was left open"
    return log, summary


def refusing(name: str, error: Exception, method: str = "open") -> ModelNode:
    node = ModelNode(name, World())

    async def refuse() -> None:
        raise error

    setattr(node, method, refuse)
    return node


def wrong_password(name: str) -> AuthenticationError:
    return AuthenticationError(name, "http://node", "the node refuses the password", "Check the reference.")


def test_a_node_whose_checks_pass_is_done_and_nothing_was_sent_to_it() -> None:
    node = ModelNode("a", World())
    log, summary = run(node)
    assert log.names() == ["Connecting", "Connected", "CheckFinished", "NodeDone", "RunFinished"]
    assert log.one(NodeDone) == NodeDone(node.name, 0, 0, 1)
    assert summary == RunSummary((node.name,), (), (), 0, 0)
    assert summary.is_good
    world = node.world
    assert (world.pushes, world.meta_pushes, world.tests, world.restarts) == (0, 0, 0, 0)


def test_what_the_node_said_when_it_answered_is_recorded() -> None:
    node = ModelNode("a", World(state="PendingReboot"))
    log, _ = run(node)
    connected = log.one(Connected)
    assert connected.lcm_state == "PendingReboot"
    assert connected.boot_time.startswith(EPOCH.date().isoformat())


@pytest.mark.parametrize("outcome", ["failed", "error"])
def test_a_check_that_fails_fails_its_node_alone_and_is_told_by_name(outcome: str) -> None:
    a, b = ModelNode("a", World()), ModelNode("b", World())
    said = {"a": [("passed", ""), (outcome, "Spooler is stopped")]}
    log, summary = run(a, b, verifier=answering(**said))
    failure = log.one(NodeFailed)
    assert (failure.node, failure.kind) == ("a", "CheckFailed")
    (problem,) = failure.problems
    assert problem.message == "Spooler is stopped"
    assert problem.resource == "web: test_it"
    assert (summary.done, summary.failed) == ((b.name,), (a.name,))
    assert not summary.is_good


def test_every_failed_check_of_a_node_is_told() -> None:
    said = {"a": [("failed", "one"), ("failed", "two"), ("error", "")]}
    log, _ = run(ModelNode("a", World()), verifier=answering(**said))
    assert [problem.message for problem in log.one(NodeFailed).problems[:2]] == ["one", "two"]
    assert log.one(NodeFailed).problems[2].message, "a check without a message is told all the same"


def test_a_skipped_check_neither_fails_the_node_nor_counts_as_passed() -> None:
    said = {"a": [("passed", ""), ("skipped", "not here")]}
    log, summary = run(ModelNode("a", World()), verifier=answering(**said))
    assert log.one(NodeDone).checks == 1
    assert summary.is_good


def test_a_node_without_checks_is_done() -> None:
    log, summary = run(ModelNode("a", World()), verifier=answering(a=[]))
    assert log.one(NodeDone).checks == 0
    assert summary.is_good


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("open", wrong_password("a")),
        ("meta_configuration", LcmError("a", "no such class", "HRESULT 0x80041002", help="Install WMF 5.1.")),
    ],
    ids=["refused", "no LCM"],
)
def test_a_node_that_cannot_be_opened_fails_by_itself_and_is_not_checked(
    method: str, error: AuthenticationError | LcmError
) -> None:
    batches: list[list[str]] = []

    async def verifier(batch: Mapping[NodeName, NodeApi], report: Report) -> None:
        batches.append(list(batch))
        await answering()(batch, report)

    bad, good = refusing("a", error, method), ModelNode("b", World())
    log, summary = run(bad, good, verifier=verifier)
    assert batches == [["b"]]
    failure = log.one(NodeFailed)
    assert (failure.node, failure.kind) == ("a", type(error).__name__)
    assert str(error).endswith(failure.problems[0].message.removeprefix("http://node: "))
    assert failure.problems[0].help == error.help
    assert summary.failed == ("a",)
    assert summary.done == ("b",)


def test_all_nodes_are_one_batch_in_inventory_order_whoever_answers_first() -> None:
    batches: list[list[str]] = []

    async def verifier(batch: Mapping[NodeName, NodeApi], _report: Report) -> None:
        batches.append(list(batch))

    slow, quick = ModelNode("slow", World()), ModelNode("quick", World())
    opened = slow.open

    async def open_late() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        await opened()

    slow.open = open_late  # type: ignore[method-assign]
    log, _ = run(slow, quick, verifier=verifier)
    assert [event.node for event in log.of(Connected)] == ["quick", "slow"]
    assert batches == [["slow", "quick"]]


@pytest.mark.parametrize(("parallel", "most"), [(1, 1), (2, 2), (0, 5)])
def test_only_so_many_nodes_are_opened_at_once(parallel: int, most: int) -> None:
    at_once, seen = 0, 0
    nodes = [ModelNode(name, World()) for name in "abcde"]

    def counted(opened: Callable[[], Any]) -> Callable[[], Any]:
        async def count() -> None:
            nonlocal at_once, seen
            at_once += 1
            seen = max(seen, at_once)
            await opened()
            await asyncio.sleep(0)
            at_once -= 1

        return count

    for node in nodes:
        node.open = counted(node.open)  # type: ignore[method-assign]
    _, summary = run(*nodes, parallel=parallel)
    assert seen == most
    assert len(summary.done) == 5


def test_every_node_that_began_also_ends_and_the_run_ends_last() -> None:
    nodes = [refusing("a", wrong_password("a")), ModelNode("b", World()), ModelNode("c", World())]
    log, _ = run(*nodes, verifier=answering(b=[("failed", "x")]))
    began = {event.node for event in log.of(Connecting)}
    ended = {event.node for event in [*log.of(NodeDone), *log.of(NodeFailed), *log.of(NodeSkipped)]}
    assert began == ended == {"a", "b", "c"}
    assert isinstance(log[-1], RunFinished)
    finished = log.one(RunFinished)
    assert (finished.changed, finished.unchanged, finished.failed, finished.skipped) == (0, 1, 2, 0)


async def test_an_interrupted_run_keeps_what_is_known_and_skips_the_rest() -> None:
    log = Log()
    checking = asyncio.Event()

    async def verifier(batch: Mapping[NodeName, NodeApi], report: Report) -> None:
        report(check("a", "failed", "Spooler is stopped"))
        checking.set()
        await asyncio.Event().wait()

    nodes = [ModelNode("a", World()), ModelNode("b", World())]
    task = asyncio.create_task(run_checks("r", [work(node) for node in nodes], verifier, log.append, 10))
    await checking.wait()
    task.cancel()
    summary = await task
    assert task.cancelling() == 0, "the cancellation was answered, so what comes after it can wait for things"
    assert summary.interrupted
    assert not summary.is_good
    assert (summary.failed, summary.skipped) == (("a",), ("b",))
    assert "interrupted" in log.one(NodeSkipped).because
    assert log.one(RunFinished).interrupted
    assert all(node.world.open_sessions == 0 for node in nodes)


async def test_an_interrupt_while_nodes_are_opened_closes_those_that_are() -> None:
    log = Log()
    opened = asyncio.Event()

    def record(event: Event) -> None:
        log.append(event)
        if isinstance(event, Connected):
            opened.set()

    quick, stuck = ModelNode("quick", World()), ModelNode("stuck", World())

    async def never() -> None:
        await asyncio.Event().wait()

    stuck.open = never  # type: ignore[method-assign]
    works = [work(quick), work(stuck)]
    task = asyncio.create_task(run_checks("r", works, answering(), record, 10))
    await opened.wait()
    task.cancel()
    summary = await task
    assert summary.skipped == ("quick", "stuck")
    assert quick.world.open_sessions == 0


async def test_a_node_that_does_not_say_goodbye_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("provisioner.engine.verify_run._GOODBYE_S", 0.01)
    node = ModelNode("a", World())

    async def hang() -> None:
        await asyncio.Event().wait()

    node.close = hang  # type: ignore[method-assign]
    summary = await run_checks("r", [work(node)], answering(), Log().append, 10)
    assert summary.is_good


async def test_a_bug_in_the_checks_is_raised_and_every_session_is_closed() -> None:
    async def verifier(_batch: Mapping[NodeName, NodeApi], _report: Report) -> None:
        raise ZeroDivisionError

    node = ModelNode("a", World())
    with pytest.raises(ZeroDivisionError):
        await run_checks("r", [work(node)], verifier, Log().append, 10)
    assert node.world.open_sessions == 0


def test_a_run_without_nodes_ends_well() -> None:
    log, summary = run()
    assert summary.done == summary.failed == ()
    assert log.names() == ["RunFinished"]
