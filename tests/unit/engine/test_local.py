from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from provisioner.engine.local import LocalExecutor
from provisioner.events import (
    CheckFinished,
    Converged,
    Event,
    JobStarted,
    LcmBusy,
    NodeSkipped,
    RebootStarted,
)
from tests.unit.engine.driving import Log, options
from tests.unit.engine.model_node import ModelNode, World, resources, work_for

#: A run that never ends by itself, in real time, with three nodes at work.
RUNNER = """
import asyncio, sys, threading
from provisioner.engine.local import LocalExecutor
from provisioner.engine.work import ApplyOptions
from provisioner.events import JobStarted
from tests.unit.engine.model_node import ModelNode, World, resources, work_for

works = [work_for(ModelNode(name, World(resources=resources("[a]b", seconds=1e9)))) for name in "abc"]
started = []

def record(event):
    if isinstance(event, JobStarted):
        started.append(event)
        if len(started) == 3:
            print("at work", flush=True)

summary = asyncio.run(LocalExecutor().run("r", works, ApplyOptions(), verifier=None, record=record))
print(summary.interrupted, summary.skipped, threading.active_count(), flush=True)
"""


def test_ctrl_c_ends_the_run_with_a_summary_and_no_thread() -> None:
    with subprocess.Popen([sys.executable, "-c", RUNNER], stdout=subprocess.PIPE, text=True) as runner:
        try:
            assert runner.stdout
            assert runner.stdout.readline() == "at work\n"
            runner.send_signal(signal.SIGINT)
            assert runner.stdout.readline() == "True ('a', 'b', 'c') 1\n"
            assert runner.wait() == 0
        finally:
            # Nothing waits for a process that did not listen.
            runner.kill()


async def never_ending(_batch: Mapping[Any, Any], _report: Callable[[CheckFinished], None]) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("world", "kind", "words"),
    [
        (World(resources=resources("[a]b", seconds=1e9)), JobStarted, "the LCM job goes on"),
        (World(resources=resources("[a]b"), foreign_busy_until=1e9), LcmBusy, "nothing runs on the node"),
        (World(resources=resources("[a]b"), state="PendingReboot"), RebootStarted, "was restarting"),
        (World(resources=resources("[a]b", is_done=True)), Converged, "the configuration is applied"),
    ],
    ids=["applying", "waiting", "rebooting", "verifying"],
)
async def test_an_interrupted_node_says_what_goes_on_without_us(
    world: World, kind: type[Event], words: str
) -> None:
    log = Log()
    reached = asyncio.Event()

    def record(event: Event) -> None:
        log.append(event)
        if isinstance(event, kind):
            reached.set()

    work = work_for(ModelNode("a", world))
    run = LocalExecutor().run("r", [work], options(world), verifier=never_ending, record=record)
    task = asyncio.create_task(run)
    await reached.wait()
    task.cancel()
    assert (await task).interrupted
    assert words in log.one(NodeSkipped).because
    assert world.open_sessions == 0


async def test_without_consent_given_no_node_is_rebooted() -> None:
    world = World(resources=resources("[a]b", asks_reboot=True))
    chosen = options(world)
    refusing = type(chosen)(clock=world.clock)
    summary = await LocalExecutor().run(
        "r", [work_for(ModelNode("a", world))], refusing, verifier=None, record=Log().append
    )
    assert summary.failed == ("a",)
    assert world.restarts == 0
