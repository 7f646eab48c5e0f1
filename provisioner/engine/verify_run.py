"""Only verify: open the nodes, run the checks, change nothing. The nodes of a run are one batch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from provisioner.addresses import NodeName
from provisioner.engine.executor import RunSummary
from provisioner.engine.failure import CHECK_FAILED, Failures, of_checks
from provisioner.engine.work import Record, Verifier
from provisioner.events import (
    CheckFinished,
    Connected,
    Connecting,
    NodeDone,
    NodeFailed,
    NodeSkipped,
    Problem,
    RunFinished,
)
from provisioner.node.base import NodeApi

_GOODBYE_S = 5.0


@dataclass(frozen=True, slots=True)
class VerifyWork:
    """One node to verify. ``connect`` makes a session that is not open yet."""

    name: NodeName
    connect: Callable[[], NodeApi]


async def run_checks(
    run_id: str, works: Sequence[VerifyWork], verifier: Verifier, record: Record, parallel: int
) -> RunSummary:
    """Verify all nodes and record every event up to RunFinished; the caller recorded RunStarted.

    A node that cannot be reached fails by itself. Cancelling ends the run in good order, as interrupted.
    """
    run = _VerifyRun(works, record, parallel)
    interrupted = False
    try:
        await run.open_all()
        await verifier(run.open_nodes, run.take)
    except asyncio.CancelledError:
        interrupted = True
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
    finally:
        await run.close_all()
    return run.finish(run_id, interrupted=interrupted)


class _VerifyRun:
    """The nodes of one run and what is known of each."""

    def __init__(self, works: Sequence[VerifyWork], record: Record, parallel: int) -> None:
        self.open_nodes: dict[NodeName, NodeApi] = {}
        self._record = record
        self._turns = asyncio.Semaphore(parallel or max(1, len(works)))
        self._nodes = {work.name: work.connect() for work in works}
        self._outcomes: dict[NodeName, list[CheckFinished]] = {work.name: [] for work in works}
        self._failed: dict[NodeName, tuple[str, tuple[Problem, ...]]] = {}

    async def open_all(self) -> None:
        """Open every node; those that cannot be opened are failed, not the run."""
        await asyncio.gather(*(self._open(name, node) for name, node in self._nodes.items()))
        # In inventory order, whoever answered first.
        self.open_nodes = {name: node for name, node in self._nodes.items() if name not in self._failed}

    async def _open(self, name: NodeName, node: NodeApi) -> None:
        async with self._turns:
            self._record(Connecting(name))
            try:
                await node.open()
                boot = await node.boot_state()
                lcm = await node.meta_configuration()
            except Exception as error:  # noqa: BLE001 - it fails this node, whatever it is, and not the others
                self._failed[name] = Failures().of_error(error)
            else:
                self._record(Connected(name, boot.boot_time.isoformat(), lcm.state))

    def take(self, event: CheckFinished) -> None:
        """Take the outcome of one check."""
        self._outcomes[event.node].append(event)
        self._record(event)

    async def close_all(self) -> None:
        """Leave nothing behind on any node."""
        closing = [asyncio.create_task(node.close()) for node in self._nodes.values()]
        if closing:
            await asyncio.wait(closing, timeout=_GOODBYE_S)

    def finish(self, run_id: str, *, interrupted: bool) -> RunSummary:
        """Record how each node and the run ended."""
        done, failed, skipped = [], [], []
        for name in self._nodes:
            outcomes = self._outcomes[name]
            if name in self._failed or of_checks(outcomes):
                kind, problems = self._failed.get(name, (CHECK_FAILED, of_checks(outcomes)))
                self._record(NodeFailed(name, kind, problems))
                failed.append(name)
            elif interrupted:
                self._record(NodeSkipped(name, "interrupted before its checks had ended"))
                skipped.append(name)
            else:
                self._record(NodeDone(name, 0, 0, sum(c.outcome == "passed" for c in outcomes)))
                done.append(name)
        self._record(RunFinished(run_id, 0, len(done), len(failed), len(skipped), 0, interrupted))
        return RunSummary(tuple(done), tuple(failed), tuple(skipped), 0, 0, interrupted)
