"""A proxy that breaks the connection at one chosen HTTP message of a node, and leaves all others alone.

It counts requests from its start on, over all connections. A message is cut before the node sees it, or after the
node has answered and before the answer goes back: what the controller sees is the same, what happened is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from threading import Event, Thread

#: Closing with this option set sends a reset instead of the usual farewell.
_RESET = struct.pack("ii", 1, 0)


class Cut(Enum):
    """Where the message is lost."""

    REQUEST = "request"
    ANSWER = "answer"


@dataclass(slots=True)
class Cutter:
    """What to cut of one node: request ``number`` (from 1) or its answer; ``seen`` counts the requests."""

    listen: str
    target: str
    port: int
    number: int
    cut: Cut
    seen: int = 0
    has_cut: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass messages on, one request and its answer after the other."""
        try:
            there, back = await asyncio.open_connection(self.target, self.port)
        except OSError:
            _reset(writer)
            return
        try:
            while await self._exchange(reader, writer, there, back):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            _reset(writer)
            _reset(back)

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        back: asyncio.StreamWriter,
    ) -> bool:
        request = await _message(reader)
        self.seen += 1
        is_last = self.seen == self.number
        if is_last and self.cut is Cut.REQUEST:
            self.has_cut = True
            return False
        back.write(request)
        await back.drain()
        answer = await _message(there)
        if is_last:
            self.has_cut = True
            return False
        writer.write(answer)
        await writer.drain()
        return True


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read one HTTP message, head and body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)


def _reset(writer: asyncio.StreamWriter) -> None:
    line = writer.get_extra_info("socket")
    if line is not None:
        with contextlib.suppress(OSError):
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.close()


@contextlib.contextmanager
def cutting(cutters: Sequence[Cutter]) -> Iterator[None]:
    """Run the proxies in a thread of their own while inside."""
    started = Event()
    stop: list[Callable[[], object]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        servers = [
            await asyncio.start_server(cutter.serve, cutter.listen, cutter.port, limit=1 << 24)
            for cutter in cutters
        ]
        started.set()
        await ended.wait()
        for server in servers:
            server.close()

    thread = Thread(target=asyncio.run, args=(main(),), name="cutters")
    thread.start()
    assert started.wait(10)
    try:
        yield
    finally:
        stop[0]()
        thread.join(10)
