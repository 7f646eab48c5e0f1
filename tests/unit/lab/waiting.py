"""Waiting for a simulated node without a timetable; the test run itself has the time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from provisioner.lab.simulated_node import SimulatedNode


async def until(holds: Callable[[], bool]) -> None:
    """Let others run until something is so. A node offers no event for what happens inside it."""
    while not holds():  # noqa: ASYNC110 - see above
        await asyncio.sleep(0.001)


async def idle(node: SimulatedNode) -> None:
    """Wait until the LCM has nothing to do."""
    await until(lambda: node.lcm.state != "Busy")
