"""Runs the pipelines that arrive in a node's runspace pools.

One task per pipeline. What a command writes is handed to the wire at once and sent in the loop's next turn, so a
short command needs a single response. Errors of ours end the pipeline, never the node.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

from provisioner.lab.commands.base import CommandSpec, Output
from provisioner.lab.server import clixml
from provisioner.lab.server.metadata import command_metadata, metadata_count
from provisioner.lab.server.session_key import AesSessionKey
from provisioner.lab.values import CommandCall, ErrorRecord, InformationRecord, ScriptExit, TerminatingError
from provisioner.wire.psrp import (
    Call,
    Event,
    InputArrived,
    InputEnded,
    KeyOffered,
    MetadataRequested,
    PipelineRequested,
    RunspacePool,
    StopRequested,
)
from provisioner.wire.records import Invocation

_LOG: Final = logging.getLogger("provisioner.lab")


class RunPipeline(Protocol):
    """``lab.commands.pipeline.run_pipeline``."""

    def __call__(  # noqa: PLR0913, PLR0917 - those of run_pipeline
        self,
        node: Any,
        calls: Sequence[CommandCall],
        input: AsyncIterator[Any],
        output: Output,
        user: str,
        endpoint: str = "",
    ) -> Awaitable[None]:
        """Run the commands; raises TerminatingError and ScriptExit."""
        ...


ListCommands = Callable[[Any, Sequence[str], str], Sequence[CommandSpec]]


class _PipelineOutput:
    """Where the commands of one pipeline write."""

    def __init__(
        self, pool: RunspacePool, event: PipelineRequested | MetadataRequested, written: Callable[[], None]
    ) -> None:
        self._pool = pool
        self._id = event.pipeline_id
        self._writer = _writer(event.calls[0]) if isinstance(event, PipelineRequested) else None
        self._written = written

    def write(self, value: Any) -> None:
        """Send an object."""
        self._pool.write_output(self._id, clixml.to_wire(value))
        self._written()

    def error(self, record: ErrorRecord) -> None:
        """Send a non-terminating error."""
        self._pool.write_error(self._id, clixml.error_details(record))
        self._written()

    def verbose(self, text: str) -> None:
        """Send a verbose record."""
        self._pool.write_text(self._id, "Verbose", text, self._writer)
        self._written()

    def warning(self, text: str) -> None:
        """Send a warning."""
        self._pool.write_text(self._id, "Warning", text, self._writer)
        self._written()

    def debug(self, text: str) -> None:
        """Send a debug record."""
        self._pool.write_text(self._id, "Debug", text, self._writer)
        self._written()

    def information(self, record: InformationRecord) -> None:
        """Send an information record."""
        self._pool.write_information(self._id, clixml.information_details(record))
        self._written()

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Send a progress record."""
        self._pool.write_progress(self._id, activity, status, percent)
        self._written()


_END: Final = object()


class _Running:
    """One pipeline at work."""

    def __init__(self) -> None:
        self.input: asyncio.Queue[Any] = asyncio.Queue()
        self.task: asyncio.Task[None] | None = None

    async def objects(self) -> AsyncIterator[Any]:
        """Yield pipeline input until it ends."""
        while (value := await self.input.get()) is not _END:
            yield value


class Runspaces:
    """All runspace pools of one node.

    ``written`` is called with a shell's id when there is something to send from it.
    """

    def __init__(
        self,
        node: Any,
        run_pipeline: RunPipeline,
        list_commands: ListCommands,
        written: Callable[[uuid.UUID], None],
    ) -> None:
        self._node = node
        self._run_pipeline = run_pipeline
        self._list_commands = list_commands
        self._written = written
        self._running: dict[uuid.UUID, dict[uuid.UUID, _Running]] = {}
        self._numbers = itertools.count(1)
        self.pipelines_run = 0

    def handle(self, shell_id: uuid.UUID, pool: RunspacePool, event: Event, user: str) -> None:
        """Do what a pool asks for."""
        pipelines = self._running.setdefault(shell_id, {})
        if pool.session_key is None:
            pool.session_key = AesSessionKey()
        match event:
            case KeyOffered(public_key):
                for following in pool.give_key(public_key):
                    self.handle(shell_id, pool, following, user)
                self._written(shell_id)
            case PipelineRequested() | MetadataRequested():
                running = pipelines[event.pipeline_id] = _Running()
                self.pipelines_run += 1
                if isinstance(event, MetadataRequested) or not event.expects_input:
                    running.input.put_nowait(_END)
                work = self._work(shell_id, pool, event, running, user)
                running.task = asyncio.get_running_loop().create_task(work)
            case InputArrived(pipeline_id, value) if pipeline_id in pipelines:
                pipelines[pipeline_id].input.put_nowait(clixml.from_wire(value))
            case InputEnded(pipeline_id) if pipeline_id in pipelines:
                pipelines[pipeline_id].input.put_nowait(_END)
            case StopRequested(pipeline_id) if pipeline_id in pipelines:
                task = pipelines[pipeline_id].task
                if task is not None:
                    task.cancel()

    def end(self, shell_id: uuid.UUID) -> None:
        """A shell is gone: stop what runs in it."""
        for running in self._running.pop(shell_id, {}).values():
            if running.task is not None:
                running.task.cancel()

    async def _work(
        self,
        shell_id: uuid.UUID,
        pool: RunspacePool,
        event: PipelineRequested | MetadataRequested,
        running: _Running,
        user: str,
    ) -> None:
        pipeline_id = event.pipeline_id
        output = _PipelineOutput(pool, event, lambda: self._written(shell_id))
        finish: Callable[[], list[Event]] = lambda: pool.complete(pipeline_id)  # noqa: E731 - chosen below
        try:
            if isinstance(event, MetadataRequested):
                self._write_metadata(event, output, pool.endpoint)
            else:
                calls = tuple(_to_call(call) for call in event.calls)
                await self._run_pipeline(self._node, calls, running.objects(), output, user, pool.endpoint)
        except ScriptExit as end:
            pool.set_should_exit(pipeline_id, end.code)
        except TerminatingError as problem:
            details = clixml.error_details(problem.record)
            finish = lambda: pool.fail(pipeline_id, details)  # noqa: E731
        except asyncio.CancelledError:
            finish = lambda: pool.stopped(pipeline_id)  # noqa: E731
        except Exception as problem:  # noqa: BLE001 - logged; the node lives on
            _LOG.exception(
                "a pipeline on %s failed: this is a bug in the lab", getattr(self._node, "name", "?")
            )
            details = clixml.error_details(_internal_error(problem))
            finish = lambda: pool.fail(pipeline_id, details)  # noqa: E731
        pipelines = self._running.get(shell_id)
        if pipelines is None:
            return  # the shell went away meanwhile
        pipelines.pop(pipeline_id, None)
        for following in finish():
            self.handle(shell_id, pool, following, user)
        self._written(shell_id)

    def _write_metadata(self, event: MetadataRequested, output: Output, endpoint: str) -> None:
        commands = self._list_commands(self._node, event.patterns, endpoint)
        output.write(metadata_count(len(commands)))
        for command in commands:
            output.write(command_metadata(command))


def _writer(call: Call) -> Invocation:
    """Tell who writes verbose texts and warnings: the first command, or the script."""
    if call.is_script:
        return Invocation("", "Script", call.name, "Runspace", (0, 0), pipeline_length=1, pipeline_position=1)
    return Invocation(
        call.name, "Cmdlet", call.name, "Runspace", (0, 0), pipeline_length=1, pipeline_position=1
    )


def _to_call(call: Call) -> CommandCall:
    parameters = tuple((name, clixml.from_wire(value)) for name, value in call.parameters)
    return CommandCall(call.name, parameters, call.is_script, call.ends_statement, call.merged)


def _internal_error(problem: Exception) -> ErrorRecord:
    return ErrorRecord(
        message=f"The simulated node failed: {type(problem).__name__}",
        error_id="SimulatedNodeFailure",
        category="NotSpecified",
        exception_type="System.InvalidOperationException",
    )
