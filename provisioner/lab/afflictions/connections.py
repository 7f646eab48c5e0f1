"""Faults of the network and of HTTP, carried out on the connections of one node.

Latency and bandwidth are in real seconds, whatever the time scale of the lab: the time-outs of clients are real.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar
from weakref import WeakKeyDictionary

from provisioner.lab.afflictions.active import Active
from provisioner.lab.faults.base import Fault
from provisioner.lab.faults.http import HttpError
from provisioner.lab.faults.network import Bandwidth, Drop, HalfOpen, Latency
from provisioner.lab.server.http import HttpConnection

F = TypeVar("F", bound=Fault)
#: Pieces a second in which a slow connection carries its bytes.
_PIECES_A_SECOND: Final = 10


class Afflicted(Protocol):
    """What the connections need to know of the faults of their node."""

    def on(self, kind: type[F]) -> Iterable[tuple[Active, F]]:
        """Give the faults of a kind that are active now."""
        ...

    def took_hold(self, active: Active) -> None:
        """Take note that a fault had its effect once more."""
        ...

    def message_answered(self) -> None:
        """Take note that a request was answered, or would have been."""
        ...


class Disturbed:
    """The disturbance of one node; see ``http.Disturbance``. Equal seeds give equal jitter."""

    def __init__(self, faults: Afflicted, seed: str) -> None:
        self._faults = faults
        self._dice = random.Random(seed)  # noqa: S311 - weather, no secret
        self._asked: WeakKeyDictionary[HttpConnection, int] = WeakKeyDictionary()

    @property
    def is_silent(self) -> bool:
        """Whether the peer is gone without a word."""
        return any(True for _ in self._faults.on(HalfOpen))

    def arrives(self, connection: HttpConnection, data: bytes) -> bool:
        """Count the bytes of requests."""
        if self.is_silent:
            return False
        self._asked[connection] = self._asked.get(connection, 0) + len(data)
        for active, drop in list(self._faults.on(Drop)):
            if drop.byte and drop.direction == "request":
                active.count += len(data)
                if active.count >= drop.byte:
                    return self._break(active, drop, connection)
        return True

    def asks(self, connection: HttpConnection) -> bool:
        """Count requests."""
        return not self._is_lost(connection, "request")

    def refuses(self) -> int | None:
        """Answer requests unseen."""
        for active, fault in list(self._faults.on(HttpError)):
            self._faults.took_hold(active)
            return fault.status
        return None

    async def answers(self, connection: HttpConnection, data: bytes) -> bool:
        """Send an answer late, slowly, in part or not at all."""
        delay = sum(
            max(0.0, fault.seconds + self._dice.uniform(-fault.jitter, fault.jitter))
            for _, fault in self._faults.on(Latency)
        )
        if delay:
            await asyncio.sleep(delay)
        goes_on = not self.is_silent and not self._is_lost(connection, "answer")
        if goes_on:
            goes_on = await self._send(connection, data)
        self._faults.message_answered()
        return goes_on and not self.is_silent

    async def _send(self, connection: HttpConnection, data: bytes) -> bool:
        for active, drop in list(self._faults.on(Drop)):
            if drop.byte and drop.direction == "answer":
                room = drop.byte - active.count
                active.count += len(data)
                if len(data) >= room:
                    connection.write(data[: max(0, room)])
                    return self._break(active, drop, connection)
        rate = min((fault.bytes_per_s for _, fault in self._faults.on(Bandwidth)), default=0)
        asked = self._asked.pop(connection, 0)
        if not rate:
            connection.write(data)
            return True
        await asyncio.sleep(asked / rate)
        size = max(1, rate // _PIECES_A_SECOND)
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            await asyncio.sleep(len(piece) / rate)
            if self.is_silent:
                return False
            connection.write(piece)
        return True

    def _is_lost(self, connection: HttpConnection, direction: str) -> bool:
        for active, drop in list(self._faults.on(Drop)):
            if not drop.byte and drop.direction == direction:
                active.count += 1
                if active.count >= drop.message:
                    self._break(active, drop, connection)
                    return True
        return False

    def _break(self, active: Active, drop: Drop, connection: HttpConnection) -> bool:
        """Break the connection; False, because nothing goes on."""
        active.count = 0
        end: Callable[[], None] = connection.abort if drop.how == "reset" else connection.hang_up
        end()
        self._faults.took_hold(active)
        return False
