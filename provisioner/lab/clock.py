"""Time of a simulated node: it may run faster than ours, never slower.

A wait of simulated seconds takes ``scale`` of them in reality and moves the node's clock by all of them, so that
boot times and durations look real however fast the lab runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Clock:
    """The clock of one node. ``ahead_s`` is how far it is before ours by now."""

    def __init__(self, scale: float, ahead_s: float = 0.0) -> None:
        self._scale = scale
        self.ahead_s = ahead_s

    def now(self) -> datetime:
        """Give the node's time, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    async def sleep(self, seconds: float) -> None:
        """Wait simulated seconds. A wait that is cancelled moves the clock by nothing."""
        await asyncio.sleep(seconds * self._scale)
        self.ahead_s += seconds * (1 - self._scale)

    def after(self, seconds: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back after simulated seconds in which nobody waits; give what takes it back.

        Rest is no work: where a scale of 0 makes all work instant, rest takes the time it takes, or a node would
        do nothing but what it does between two rests.
        """
        scale = self._scale or 1.0

        def fire() -> None:
            self.ahead_s += seconds * (1 - scale)
            callback()

        return asyncio.get_running_loop().call_later(seconds * scale, fire).cancel
