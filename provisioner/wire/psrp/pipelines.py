"""The pipelines of a pool, and the queue of those for which no runspace is free.

A pool runs as many pipelines at a time as it has runspaces; the others wait, in the order in which they came.
Input that comes for a waiting pipeline waits with it.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from provisioner.wire.fragments import MAX_COMMAND_BYTES, Defragmenter
from provisioner.wire.psrp.events import (
    Event,
    HostAnswered,
    InputArrived,
    InputEnded,
    MetadataRequested,
    PipelineRequested,
)

_NO_STREAMS: frozenset[str] = frozenset()


class Phase(Enum):
    """Where a pipeline is."""

    WAITING = "waiting"  #: for CREATE_PIPELINE, or for a free runspace
    RUNNING = "running"
    FINISHED = "finished"


def _command_fragments() -> Defragmenter:
    return Defragmenter(MAX_COMMAND_BYTES)


@dataclass(slots=True)
class Pipeline:
    """``wire_id`` is the id inside the messages; some clients write its bytes in another order than CommandId.

    ``early`` is input that came before the pipeline ran; ``calls_made`` counts host calls that want an answer.
    A guest runs inside what the only runspace of its pool runs already.
    """

    wire_id: uuid.UUID | None = None
    phase: Phase = Phase.WAITING
    fragments: Defragmenter = field(default_factory=_command_fragments)
    prompt_fragments: Defragmenter | None = None
    request: PipelineRequested | MetadataRequested | None = None
    early: list[InputArrived | InputEnded] = field(default_factory=list)
    calls_made: int = 0
    open_calls: set[int] = field(default_factory=set)
    is_input_over: bool = False
    is_forgotten: bool = False
    is_guest: bool = False

    @property
    def invocation_streams(self) -> frozenset[str]:
        """Streams whose records tell which command wrote them."""
        return self.request.invocation_streams if isinstance(self.request, PipelineRequested) else _NO_STREAMS

    @property
    def is_nested(self) -> bool:
        """Whether it may run inside whatever its runspace runs already."""
        return isinstance(self.request, PipelineRequested) and self.request.is_nested

    def take_input(self, event: InputArrived | InputEnded) -> Sequence[Event]:
        """Return what is to be handed on now."""
        is_expected = isinstance(self.request, PipelineRequested) and self.request.expects_input
        if self.is_input_over or not is_expected or self.phase is Phase.FINISHED:
            return ()
        self.is_input_over = isinstance(event, InputEnded)
        if self.phase is Phase.RUNNING:
            return (event,)
        self.early.append(event)
        return ()

    def take_answer(self, event: HostAnswered) -> Sequence[Event]:
        """Return the answer if it belongs to an open call."""
        if event.call_id not in self.open_calls:
            return ()
        self.open_calls.remove(event.call_id)
        return (event,)


class Pipelines:
    """All pipelines of a pool, and its runspaces: how many are idle, and how many there are in all.

    A runspace is made when none is idle and ``size`` allows it. A smaller size takes idle ones away, none that
    run. Source: RunspacePoolInternal of PowerShell.
    """

    def __init__(self) -> None:
        self.size = 1
        self._idle = self._all = 1
        self._items: dict[uuid.UUID, Pipeline] = {}
        self._queue: deque[uuid.UUID] = deque()

    def open(self, minimum: int, maximum: int) -> None:
        """Make the first runspaces."""
        self.size, self._idle, self._all = maximum, minimum, minimum

    def resize(self, size: int) -> None:
        """Change how many runspaces there may be."""
        surplus = max(0, self._idle - size)
        self.size, self._idle, self._all = size, self._idle - surplus, self._all - surplus

    def get(self, pipeline_id: uuid.UUID | None) -> Pipeline | None:
        """Return a pipeline; None when there is none of that id."""
        return self._items.get(pipeline_id) if pipeline_id is not None else None

    def of(self, wire_id: uuid.UUID | None) -> uuid.UUID | None:
        """Return which pipeline has this id inside its messages."""
        found = (key for key, item in self._items.items() if item.wire_id == wire_id)
        return next(found, None) if wire_id is not None else None

    def add(self, pipeline_id: uuid.UUID) -> None:
        """Make room for a pipeline whose messages will come."""
        self._items[pipeline_id] = Pipeline()

    @property
    def free(self) -> int:
        """Runspaces that could run something now."""
        return self._idle + max(0, self.size - self._all)

    @property
    def is_busy(self) -> bool:
        """Whether any pipeline runs."""
        return any(item.phase is Phase.RUNNING for item in self._items.values())

    def enqueue(self, pipeline_id: uuid.UUID) -> None:
        """Let a pipeline wait for its turn."""
        self._queue.append(pipeline_id)

    def start(self) -> list[uuid.UUID]:
        """Start those whose turn it is; a nested one needs no runspace of its own."""
        started, waiting = [], deque[uuid.UUID]()
        for pipeline_id in self._queue:
            pipeline = self._items[pipeline_id]
            pipeline.is_guest = pipeline.is_nested and self.size == 1 and self.is_busy
            if self.free == 0 and not pipeline.is_guest:
                waiting.append(pipeline_id)
                continue
            if not pipeline.is_guest:
                self._occupy()
            pipeline.phase = Phase.RUNNING
            started.append(pipeline_id)
        self._queue = waiting
        return started

    def _occupy(self) -> None:
        if self._idle:
            self._idle -= 1
        else:
            self._all += 1

    def finish(self, pipeline_id: uuid.UUID) -> None:
        """A pipeline is over, or never begins."""
        pipeline = self._items[pipeline_id]
        if pipeline.phase is Phase.RUNNING and not pipeline.is_guest:
            if self._idle < self.size:
                self._idle += 1
            else:
                self._all -= 1
        pipeline.phase = Phase.FINISHED
        if pipeline_id in self._queue:
            self._queue.remove(pipeline_id)

    def drop(self, pipeline_id: uuid.UUID) -> None:
        """Forget a pipeline."""
        if self._items.pop(pipeline_id, None) is not None and pipeline_id in self._queue:
            self._queue.remove(pipeline_id)
