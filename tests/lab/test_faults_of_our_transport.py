"""Our own transport at a node that fell silent: whoever loses patience is free at once, and no thread stays."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from provisioner.addresses import Endpoint, NodeName
from provisioner.lab.hosting.running import RunningLab, RunningNode
from provisioner.secrets.model import Secret
from provisioner.transport.base import Pipeline
from provisioner.transport.psrp import PsrpTransport

pytestmark = pytest.mark.filterwarnings("default")  # pypsrp warns about what it does not know


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    running = RunningLab(tmp_path_factory.mktemp("silent") / "lab", 1, {})
    yield running
    running.stop()


def _transport(node: RunningNode) -> PsrpTransport:
    endpoint = Endpoint(host=node.address, port=node.port)
    return PsrpTransport(NodeName(node.name), endpoint, node.user, Secret(node.password))


async def _impatient(task: asyncio.Task[object]) -> float:
    """Cancel again and again, as an interrupted run does; the seconds it took."""
    begin = time.monotonic()
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)
    return time.monotonic() - begin


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("psrp-")]


@pytest.mark.parametrize("is_on", [True, False], ids=["on", "off"])
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "opening"])
def test_who_cancels_twice_is_free_at_once(lab: RunningLab, *, is_open: bool, is_on: bool) -> None:
    node = lab["node01"]

    async def work() -> float:
        transport = _transport(node)

        async def talk() -> object:
            try:
                await transport.open()
                return await transport.run(Pipeline.of("Get-Service", Name="W32Time"))
            finally:
                await transport.close()

        if is_open:
            await transport.open()
        if is_on:
            node.fault("half-open")
        task = asyncio.create_task(talk())
        await asyncio.wait({task}, timeout=0.5)
        assert task.done() is not is_on
        return await _impatient(task)

    try:
        assert asyncio.run(work()) < 1.0
    finally:
        node.clear()
    deadline = time.monotonic() + 1
    while _threads() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _threads() == []
