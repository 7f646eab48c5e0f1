"""Runs the processes of a node's classic shells: one task per process.

What a process writes is handed to the wire at once and sent in the loop's next turn. Errors of ours end the
process, never the node.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, Protocol

from provisioner.lab.processes.base import OEM_CODEPAGE, NoSuchProgramError, ProcessCall, ProcessOutput
from provisioner.wire.winrs import (
    EXIT_CONTROL_C,
    CommandShell,
    Event,
    ProcessInput,
    ProcessRequested,
    ProcessStopped,
)

_LOG: Final = logging.getLogger("provisioner.lab")
_END: Final = None
#: What Windows' loader gives for an image that is not there, and what a crashed process leaves.
_EXIT_NOT_FOUND: Final = 2
_EXIT_CRASHED: Final = 0xC0000005


class RunProcess(Protocol):
    """``lab.processes.run.run_process``."""

    def __call__(self, node: Any, call: ProcessCall, output: ProcessOutput) -> Awaitable[int]:
        """Run a command line to its end and return the exit code."""
        ...


class _Output:
    """Where one process writes."""

    def __init__(self, shell: CommandShell, command_id: uuid.UUID, written: Callable[[], None]) -> None:
        self._shell = shell
        self._id = command_id
        self._written = written

    def stdout(self, data: bytes) -> None:
        """Send standard output."""
        self._shell.write(self._id, "stdout", data)
        self._written()

    def stderr(self, data: bytes) -> None:
        """Send standard error."""
        self._shell.write(self._id, "stderr", data)
        self._written()


class _Running:
    """One process at work."""

    def __init__(self, took: Callable[[int], None]) -> None:
        self._took = took
        self.input: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    async def stdin(self) -> AsyncIterator[bytes]:
        """Yield what is sent until the client ends it."""
        while (data := await self.input.get()) is not _END:
            self._took(len(data))
            yield data


class Processes:
    """All processes of one node's classic shells.

    ``written`` is called with a shell's id when there is something to send from it.
    """

    def __init__(self, node: Any, run_process: RunProcess, written: Callable[[uuid.UUID], None]) -> None:
        self._node = node
        self._run_process = run_process
        self._written = written
        self._running: dict[uuid.UUID, dict[uuid.UUID, _Running]] = {}

    def handle(self, shell_id: uuid.UUID, shell: CommandShell, event: Event, user: str) -> None:
        """Do what a shell asks for."""
        running = self._running.setdefault(shell_id, {})
        match event:
            case ProcessRequested(command_id):
                process = running[command_id] = _Running(lambda size: shell.took(command_id, size))
                work = self._work(shell_id, shell, event, process, user)
                process.task = asyncio.get_running_loop().create_task(work)
            case ProcessInput(command_id, data, is_last) if command_id in running:
                if data:
                    running[command_id].input.put_nowait(data)
                if is_last:
                    running[command_id].input.put_nowait(_END)
            case ProcessStopped(command_id) if command_id in running:
                task = running[command_id].task
                if task is not None:
                    task.cancel()

    def end(self, shell_id: uuid.UUID) -> None:
        """A shell is gone: end what runs in it."""
        for process in self._running.pop(shell_id, {}).values():
            if process.task is not None:
                process.task.cancel()

    async def _work(
        self,
        shell_id: uuid.UUID,
        shell: CommandShell,
        event: ProcessRequested,
        process: _Running,
        user: str,
    ) -> None:
        command_id = event.command_id
        output = _Output(shell, command_id, lambda: self._written(shell_id))
        call = ProcessCall(
            event.command_line,
            (),
            event.uses_cmd,
            process.stdin(),
            dict(shell.environment),
            shell.working_directory,
            user,
            OEM_CODEPAGE if shell.codepage is None else shell.codepage,
        )
        try:
            exit_code = await self._run_process(self._node, call, output)
        except asyncio.CancelledError:
            exit_code = EXIT_CONTROL_C
        except NoSuchProgramError:
            exit_code = _EXIT_NOT_FOUND
        except Exception:  # noqa: BLE001 - logged; the node lives on
            name = getattr(self._node, "name", "?")
            _LOG.exception("a process on %s failed: this is a bug in the lab", name)
            output.stderr(b"The simulated node failed.\r\n")
            exit_code = _EXIT_CRASHED
        running = self._running.get(shell_id)
        if running is None:
            return  # the shell went away meanwhile
        running.pop(command_id, None)
        shell.finish(command_id, exit_code)
        self._written(shell_id)
