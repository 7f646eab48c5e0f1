"""Run a flow on a model node and collect what it recorded."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from provisioner.engine.apply import NodeFlow
from provisioner.engine.resume import adopt
from provisioner.engine.work import ApplyOptions, NodeWork, PastLegs
from provisioner.events import Event, Recorded, RunFinished, RunStarted
from provisioner.state.memory import MemoryStateStore
from tests.unit.engine.model_node import KilledError, ModelNode, Trap, World, work_for

Kind = TypeVar("Kind")


class Log(list[Event]):
    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self if isinstance(event, kind)]

    def one(self, kind: type[Kind]) -> Kind:
        (found,) = self.of(kind)
        return found

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self]


async def yes(_node: Any, _because: str) -> bool:
    return True


def options(world: World, **changes: Any) -> ApplyOptions:
    return ApplyOptions(**{"clock": world.clock, "allow_reboot": yes, **changes})


def apply(
    world: World,
    *,
    work: NodeWork | None = None,
    past: PastLegs | None = None,
    preflight: Any = None,
    **changes: Any,
) -> tuple[Log, NodeFlow]:
    """Run one node to its end, as the executor would."""
    log = Log()
    node = ModelNode("hv01", world)
    work = work or work_for(node)
    flow = NodeFlow("run-1", work, options(world, **changes), log.append, past, preflight)

    async def drive() -> None:
        try:
            await flow.run()
            flow.finish(0)
        except Exception as error:  # noqa: BLE001 - as the executor does
            flow.fail(error)
        finally:
            await flow.close()

    asyncio.run(drive())
    return log, flow


def control(world: World, store: MemoryStateStore, trap: Trap, digest: str = "d1") -> Log:
    """Be a controller of one node, new or going on, until the end or until the trap springs."""
    log = Log()
    name = ModelNode("hv01", world).name
    adopted = adopt(store, "inv", {name: digest})
    run_id, sequence = (
        (adopted.run_id, adopted.next_sequence) if adopted else (f"run-{len(store.runs()) + 1}", 1)
    )

    def record(event: Event) -> None:
        nonlocal sequence
        trap()
        store.append(Recorded(run_id, sequence, "2026-01-01T00:00:00+00:00", event))
        sequence += 1
        log.append(event)
        trap()

    async def drive() -> None:
        record(
            RunStarted(run_id, "inv", "apply", ("hv01",), 1, {"hv01": digest}, resumed=adopted is not None)
        )
        node = ModelNode("hv01", world, trap)
        past = adopted.past.get(name) if adopted else None
        flow = NodeFlow(run_id, work_for(node, digest=digest), options(world), record, past)
        await flow.run()
        flow.finish(0)
        record(RunFinished(run_id, 1, 0, 0, 0, flow.reboots))

    asyncio.run(drive())
    return log


def controllers(world: World, store: MemoryStateStore, kill_points: list[int]) -> int:
    """Kill one controller after another, then let one live. Returns how many points the last one passed."""
    for point in kill_points:
        try:
            control(world, store, Trap(point))
        except KilledError:
            world.open_sessions = 0
            continue
        return -1
    trap = Trap()
    control(world, store, trap)
    return trap.passed
