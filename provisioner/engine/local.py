"""Carry out a run in this process: one asyncio task per node, checks in batches.

No node waits for another one, except for those it comes after, for its turn (``parallel``), and for the checks of
those before it. Who waits for others takes no turn: the turns go to those that are waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from provisioner.engine.apply import NodeFlow
from provisioner.engine.executor import RunSummary
from provisioner.engine.failure import CHECK_FAILED, NodeFailure, of_checks
from provisioner.engine.machine import NodeState
from provisioner.engine.order import Order
from provisioner.errors import ProvisionerError, StateError
from provisioner.events import CheckFinished, NodeSkipped, Problem, RunFinished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.addresses import NodeName
    from provisioner.engine.work import ApplyOptions, NodeWork, PastLegs, Record, Verifier

#: How long closing one session may take, and how long an interrupted run waits for all of them, in seconds.
_CLOSE_S = 4.0
_GOODBYE_S = 5.0
#: An interrupted run waits so long in any case, and then only while some session still ends now and then.
_PATIENCE_S = 0.9
_QUIET_S = 0.3
#: A session that does not answer is cut off: what it was waiting for, its goodbye, and that of a lost shell.
_CUTS = 3
_CUT_S = 0.05


class LocalExecutor:
    """Runs everything here; the process must live as long as the run. See ``engine.executor.Executor``."""

    async def run(  # noqa: PLR0913 - see the protocol
        self,
        run_id: str,
        works: Sequence[NodeWork],
        options: ApplyOptions,
        *,
        verifier: Verifier | None,
        record: Record,
        past: Mapping[NodeName, PastLegs] | None = None,
        preflight: Verifier | None = None,
    ) -> RunSummary:
        """Apply ``works``; see ``engine.executor.Executor.run``."""
        known = past or {}
        checks, before = _Checks(verifier), _Checks(preflight)
        flows = [NodeFlow(run_id, work, options, record, known.get(work.name), before.of) for work in works]
        order = Order(works)
        turns = asyncio.Semaphore(options.parallel or max(1, len(flows)))
        tasks = [
            asyncio.create_task(_one(flow, order, checks, turns), name=f"apply {flow.name}") for flow in flows
        ]
        is_interrupted = False
        try:
            await _all(tasks)
        except asyncio.CancelledError:
            is_interrupted = True
            _take_back_cancellation()
        finally:
            await _stop([*tasks, *checks.tasks, *before.tasks])
        for flow in flows:
            if not flow.machine.is_final:
                flow.record(NodeSkipped(flow.name, _because(flow)))
        summary = _summary(flows, is_interrupted=is_interrupted)
        record(_finished(run_id, summary))
        return summary


async def _all(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for all tasks, or for the first that raises: only a broken journal gets that far."""
    if tasks:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel what still runs and give it a moment to close its session.

    While sessions end one after the other the rest is only slow; once none does, the rest are nodes that do not
    answer, and nobody waits for them.
    """
    running = {task for task in tasks if not task.done()}
    for task in running:
        task.cancel()
    begin = asyncio.get_running_loop().time()
    while running:
        done, running = await asyncio.wait(running, timeout=_QUIET_S, return_when=asyncio.FIRST_COMPLETED)
        passed = asyncio.get_running_loop().time() - begin
        if passed > _GOODBYE_S or (not done and passed > _PATIENCE_S):
            break
    for _ in range(_CUTS):
        for task in running:
            task.cancel()
        if running:
            _, running = await asyncio.wait(running, timeout=_CUT_S)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # seen: the first of them is on its way to the caller already


def _take_back_cancellation() -> None:
    """The caller asked for an end and gets one, with a summary: the request is served, not passed on."""
    task = asyncio.current_task()
    if task is not None:
        task.uncancel()


async def _one(flow: NodeFlow, order: Order, checks: _Checks, turns: asyncio.Semaphore) -> None:
    """Take one node through its flow and its checks. Raises only when the journal is broken."""
    if not await order.is_free(flow.name, flow.record):
        return
    async with turns:
        try:
            await flow.run()
            outcomes = await checks.of(flow)
            _judge(flow, outcomes)
        except StateError:
            raise
        except Exception as error:
            if flow.machine.is_final:
                raise
            flow.fail(error)
        finally:
            # An interrupted session gets its goodbye too, but not for longer than `_stop` waits.
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(flow.close(), _CLOSE_S)
    order.ended(flow.name, flow.cause)


def _judge(flow: NodeFlow, outcomes: Sequence[CheckFinished]) -> None:
    bad = of_checks(outcomes)
    if bad:
        raise NodeFailure(bad, CHECK_FAILED)
    flow.finish(sum(check.outcome == "passed" for check in outcomes))


class _Checks:
    """One verifier for all nodes: while it works on a batch, the next batch gathers."""

    def __init__(self, verifier: Verifier | None) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self._verifier = verifier
        self._waiting: dict[NodeFlow, asyncio.Future[list[CheckFinished]]] = {}

    async def of(self, flow: NodeFlow) -> list[CheckFinished]:
        """Have a node checked and return the outcomes."""
        if self._verifier is None:
            return []
        answer: asyncio.Future[list[CheckFinished]] = asyncio.get_running_loop().create_future()
        self._waiting[flow] = answer
        if not self.tasks or self.tasks[-1].done():
            self.tasks = [asyncio.create_task(self._work(self._verifier), name="verify")]
        return await answer

    async def _work(self, verifier: Verifier) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            outcomes: dict[NodeName, list[CheckFinished]] = {flow.name: [] for flow in batch}
            try:
                await verifier(
                    {flow.name: flow.api for flow in batch},
                    _Reporter({flow.name: flow for flow in batch}, outcomes),
                )
            except Exception as error:  # noqa: BLE001 - it fails the nodes of this batch, not the run
                for answer in batch.values():
                    if not answer.done():
                        answer.set_exception(_for_node(error))
            else:
                for flow, answer in batch.items():
                    if not answer.done():
                        answer.set_result(outcomes[flow.name])


def _for_node(error: Exception) -> Exception:
    """Each node gets its own exception object; a bug stays recognisable by its kind."""
    if isinstance(error, StateError):
        return error
    if isinstance(error, ProvisionerError):
        return NodeFailure(
            [Problem(f"the checks could not be run: {error}", help=error.help)], type(error).__name__
        )
    bug = f"This is a bug in provisioner: the checks ended with {type(error).__name__}: {error}"
    return NodeFailure([Problem(bug)], type(error).__name__)


class _Reporter:
    """Takes the outcomes of a batch from whatever thread the checks run in."""

    def __init__(
        self, flows: Mapping[NodeName, NodeFlow], outcomes: Mapping[NodeName, list[CheckFinished]]
    ) -> None:
        self._flows = flows
        self._outcomes = outcomes
        self._loop = asyncio.get_running_loop()

    def __call__(self, event: CheckFinished) -> None:
        try:
            is_here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            is_here = False
        if is_here:
            self._take(event)
        else:
            # The end of the checks reaches the loop the same way and later, so no outcome comes too late.
            self._loop.call_soon_threadsafe(self._take, event)

    def _take(self, event: CheckFinished) -> None:
        flow = self._flows[event.node]
        if not flow.machine.is_final:
            self._outcomes[event.node].append(event)
            flow.record(event)


def _because(flow: NodeFlow) -> str:
    match flow.machine.state:
        case NodeState.PENDING | NodeState.CONNECTING:
            return "interrupted before anything was done"
        case NodeState.PUSHING | NodeState.APPLYING:
            return "interrupted; the LCM job goes on on the node, the next run will pick it up"
        case NodeState.REBOOTING:
            return "interrupted while the node was restarting; the next run will go on from there"
        case NodeState.VERIFYING:
            return "interrupted before its checks had ended; the configuration is applied"
    return "interrupted; nothing runs on the node, the next run will go on from there"


def _summary(flows: Sequence[NodeFlow], *, is_interrupted: bool) -> RunSummary:
    def ended(state: NodeState) -> tuple[NodeName, ...]:
        return tuple(flow.name for flow in flows if flow.machine.state is state)

    return RunSummary(
        done=ended(NodeState.DONE),
        failed=ended(NodeState.FAILED),
        skipped=ended(NodeState.SKIPPED),
        changed=sum(flow.machine.state is NodeState.DONE and flow.changed > 0 for flow in flows),
        reboots=sum(flow.reboots for flow in flows),
        interrupted=is_interrupted,
    )


def _finished(run_id: str, summary: RunSummary) -> RunFinished:
    return RunFinished(
        run_id,
        changed=summary.changed,
        unchanged=len(summary.done) - summary.changed,
        failed=len(summary.failed),
        skipped=len(summary.skipped),
        reboots=summary.reboots,
        interrupted=summary.interrupted,
    )
