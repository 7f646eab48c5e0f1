"""One fault on one node, from being injected to its end: what it waits for, how often it took hold."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

from provisioner.lab.faults.base import Planned


class State(Enum):
    """Where a fault is in its life."""

    WAITING = "waiting"
    ON = "active"
    OVER = "over"


class Active:
    """A fault that was injected. Needs a running event loop."""

    __slots__ = (
        "count",
        "fault",
        "is_time_up",
        "kept",
        "messages_left",
        "over",
        "planned",
        "state",
        "taken",
        "timers",
    )

    def __init__(self, planned: Planned) -> None:
        self.planned = planned
        self.fault = planned.fault
        self.state = State.WAITING
        self.taken = 0
        #: Messages or bytes that passed since the fault began, or since it last took hold.
        self.count = 0
        #: What the end of the fault puts back.
        self.kept: Any = None
        self.over = asyncio.Event()
        self.timers: list[asyncio.TimerHandle] = []
        self.arm()

    def arm(self) -> None:
        """Begin to wait for the trigger, perhaps once more."""
        self.state = State.WAITING
        self.messages_left = self.planned.when.after_messages
        self.is_time_up = not self.planned.when.after_s

    @property
    def is_due(self) -> bool:
        """Whether what it waited for has come."""
        return self.state is State.WAITING and self.is_time_up and self.messages_left <= 0

    @property
    def times(self) -> int | None:
        """How often it takes hold; None is without end."""
        if self.planned.when.times is not None:
            return self.planned.when.times
        return 1 if self.fault.is_event else self.fault.usual_times

    @property
    def is_used_up(self) -> bool:
        """Whether it took hold as often as it may."""
        return self.times is not None and self.taken >= self.times

    def forget_timers(self) -> None:
        """Wait for no time any longer."""
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()

    def __str__(self) -> str:
        waits = " (waiting)" if self.state is State.WAITING else ""
        return f"{self.planned}{waits}"
