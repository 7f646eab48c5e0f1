"""Time of a simulated node: it may run faster than ours, never slower.

A wait of simulated seconds takes ``scale`` of them in reality and moves the node's clock by all of them, so that
boot times and durations look real however fast the lab runs.
"""

from __future__ import annotations

import asyncio
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
