"""Whole simulated nodes behind listeners, on a loop in a thread, for blocking tests with clients of other people."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from pypsrp.wsman import WSMan
from spnego._ntlm_raw.crypto import ntowfv1

from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.world import World
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import Durations, NodeSpec
from tests.networks import own_network

PASSWORD = "Quiet-Harbour-7"
USER = "provisioner"
_PORTS = itertools.count(26985)
_INSTANT = Durations(0, 0, 0, 0, 0, 0, 0, 0)
T = TypeVar("T")


class RealNode:
    """One simulated node that answers. Use ``running_node``."""

    node: SimulatedNode
    fleet: Fleet

    def __init__(self, folder: Path, **fields: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self._folder = folder
        self._fields: dict[str, Any] = {
            "name": "hv01.example",
            "address": f"{own_network()}.1",
            "port": next(_PORTS),
            "user": USER,
            "nt_hash": ntowfv1(PASSWORD),
            "durations": _INSTANT,
            **fields,
        }
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def wait(self, work: Coroutine[Any, Any, T], timeout_s: float = 20) -> T:
        """Run a coroutine in the node's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout_s)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in the node's loop."""

        async def inside() -> T:
            return function()

        return self.wait(inside())

    def start(self) -> None:
        self._thread.start()

        async def make() -> None:
            world: World[Machine] = World()
            self.node = SimulatedNode(NodeSpec(**self._fields), self._folder, time_scale=0.0, world=world)
            self.fleet = Fleet([self.node])
            await self.node.start()
            await self.fleet.start()

        self.wait(make())

    def stop(self) -> None:
        async def end() -> None:
            await self.fleet.stop()
            await self.node.stop()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        self.wait(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    def wsman(self, user: str = USER, password: str = PASSWORD, **options: Any) -> WSMan:
        """Connect as pypsrp does."""
        return WSMan(
            self.node.address,
            port=self.node.port,
            ssl=False,
            auth="ntlm",
            encryption="always",
            username=user,
            password=password,
            **options,
        )


@contextlib.contextmanager
def running_node(folder: Path, **fields: Any) -> Iterator[RealNode]:
    """Give one node; ``fields`` are those of its specification."""
    made = RealNode(folder, **fields)
    made.start()
    try:
        yield made
    finally:
        made.stop()
