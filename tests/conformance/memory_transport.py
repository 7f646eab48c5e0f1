"""A transport that answers from a function: for tests of the floors above, and a member of the conformance suite."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from provisioner.errors import ConnectError, TransportTimeout
from provisioner.transport.base import Capability, ErrorRecord, Pipeline, Result, Sent


class MemoryTransport:
    """``answer`` gets each pipeline and gives its result, or raises what a transport may raise."""

    capabilities: frozenset[Capability] = frozenset(
        {Capability.COMMANDS, Capability.STREAMS, Capability.FILES}
    )

    def __init__(self, answer: Callable[[Pipeline], Awaitable[Result]]) -> None:
        self._answer = answer
        self.is_open = False
        self.opened = 0
        self.pipelines: list[Pipeline] = []
        self.files: dict[str, bytes] = {}

    async def open(self) -> None:
        if not self.is_open:
            self.is_open = True
            self.opened += 1

    async def close(self) -> None:
        self.is_open = False

    async def run(self, pipeline: Pipeline, *, timeout_s: float = 60.0) -> Result:
        if not self.is_open:
            raise ConnectError("node", "memory", "the connection is not open")
        self.pipelines.append(pipeline)
        try:
            return await asyncio.wait_for(self._answer(pipeline), timeout_s)
        except TimeoutError:
            raise TransportTimeout("node", "memory", f"not finished within {timeout_s:g} s") from None
        except ConnectError:
            self.is_open = False
            raise

    async def copy_file(
        self, source: Path, destination: str, *, timeout_s: float, sent: Sent | None = None
    ) -> Result:
        content = await asyncio.to_thread(source.read_bytes)
        if not self.is_open:
            raise ConnectError("node", "memory", "the connection is not open")
        if destination.startswith("Z:"):
            return Result(terminated=ErrorRecord("There is no drive Z.", "", "NotSpecified"))
        if sent is not None:
            sent(len(content))
        self.files[destination] = content
        return Result()
