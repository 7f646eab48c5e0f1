"""May this node restart? Asked once per run, on the terminal, when the first node needs it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import click

from provisioner.addresses import NodeName

#: Keeps the live display off the terminal while a question stands there.
Pause = Callable[[], AbstractContextManager[None]]


class TerminalConsent:
    """Asks the person at the terminal; the answer holds for the whole run."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._lock = asyncio.Lock()
        self._answer: bool | None = None

    async def __call__(self, node: NodeName, because: str) -> bool:
        """Return whether nodes may restart in this run."""
        async with self._lock:
            if self._answer is None:
                with self._pause():
                    self._answer = await self._ask(node, because)
            return self._answer

    async def _ask(self, node: NodeName, because: str) -> bool:
        click.echo(f"{node} needs a restart: {because}.", err=True)
        click.echo("May nodes restart in this run? [y/N] ", err=True, nl=False)
        try:
            answer = await _read_line()
        except asyncio.CancelledError:
            click.echo(err=True)  # what is shown next must not begin behind the question
            raise
        return answer.strip().casefold() in {"y", "yes"}


async def _read_line() -> str:
    """Read a line from the terminal without a thread, so that Ctrl-C leaves nothing waiting."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not line.done():
            line.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return await line
    finally:
        loop.remove_reader(sys.stdin)


async def always(node: NodeName, because: str) -> bool:  # noqa: ARG001 - the shape of a consent
    """Allow every restart: ``--yes``."""
    return True


async def never(node: NodeName, because: str) -> bool:  # noqa: ARG001
    """Allow none: no terminal and no ``--yes``."""
    return False
