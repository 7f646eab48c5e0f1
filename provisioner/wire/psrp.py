"""One runspace pool of the server, as the contents of a shell.

Bytes of the client go in; events for whoever runs pipelines, and chunks for the shell's streams, come out. It
runs nothing itself. psrpcore reads what the client sends and keeps the pool's keys; what goes out is written
here, in the layout of Windows PowerShell 5.1.

A message that cannot be understood is dropped, as the real server drops it: the pipeline it was for gives no
answer, the pool lives on. A message for another pool, or a second SESSION_CAPABILITY, closes the pool.

Source: MS-PSRP 3.2; reactions to odd input as measured on a real server.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeAlias
from xml.etree import ElementTree as ET

import psrpcore
from psrpcore.types import PSRPMessageType as MessageType

from provisioner.wire import clixml, faults, records
from provisioner.wire.fragments import (
    NIL,
    Defragmenter,
    MalformedFragment,
    Message,
    Outgoing,
    decode_message,
    encode_message,
    split_fragments,
    whole_fragment,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One command of a pipeline. Parameter values are neutral CLIXML values; a name of None is positional."""

    name: str
    parameters: tuple[tuple[str | None, Any], ...]
    is_script: bool
    ends_statement: bool


@dataclass(frozen=True, slots=True)
class PipelineRequested:
    """Run this now. ``expects_input`` says that InputArrived and InputEnded follow."""

    pipeline_id: uuid.UUID
    calls: tuple[Call, ...]
    expects_input: bool


@dataclass(frozen=True, slots=True)
class MetadataRequested:
    """Write the metadata of the commands that match one of the wildcard patterns."""

    pipeline_id: uuid.UUID
    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InputArrived:
    """One object for a pipeline's first command."""

    pipeline_id: uuid.UUID
    value: Any


@dataclass(frozen=True, slots=True)
class InputEnded:
    """No more input comes."""

    pipeline_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Stop this pipeline and call ``stopped``."""

    pipeline_id: uuid.UUID


_ClientEvent: TypeAlias = psrpcore.PSRPEvent[Any, Any]
Event: TypeAlias = PipelineRequested | MetadataRequested | InputArrived | InputEnded | StopRequested


class _Phase(Enum):
    WAITING = "waiting"  #: for CREATE_PIPELINE, or for a free runspace
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(slots=True)
class _Pipeline:
    """``wire_id`` is the id inside the messages; some clients write its bytes in another order than CommandId."""

    wire_id: uuid.UUID | None = None
    phase: _Phase = _Phase.WAITING
    fragments: Defragmenter = field(default_factory=Defragmenter)
    pending: PipelineRequested | MetadataRequested | None = None
    early_input: list[InputArrived | InputEnded] = field(default_factory=list)
    is_forgotten: bool = False


_STATE_OPENED: Final = 2
_STATE_CLOSED: Final = 3
_STATE_CLOSING: Final = 4

_CAPABILITY: Final = clixml.write(records.session_capability())
_OPENED: Final = clixml.write(records.pool_state(_STATE_OPENED))
_CLOSING: Final = clixml.write(records.pool_state(_STATE_CLOSING))
_CLOSED: Final = clixml.write(records.pool_state(_STATE_CLOSED))
_COMPLETED: Final = clixml.write(records.pipeline_state(records.STATE_COMPLETED))
_STOPPED: Final = clixml.write(records.pipeline_state(records.STATE_STOPPED, records.STOPPED))
_PREPARING: Final = clixml.write(
    records.progress("Preparing modules for first use.", " ", -1, is_completed=True)
)


_QUESTIONS: Final = frozenset(
    {
        MessageType.GetAvailableRunspaces,
        MessageType.SetMaxRunspaces,
        MessageType.SetMinRunspaces,
        MessageType.ResetRunspaceState,
    }
)


def _is_hostile(data: bytes) -> bool:
    """Tell whether XML has a document type declaration, or an encoding that could hide one."""
    return b"<!DOCTYPE" in data or b"\0" in data


#: Pipelines read before, by the bytes they came in: many clients ask many nodes the same, again and again.
_READ: Final[dict[bytes, tuple[tuple[Call, ...], bool]]] = {}
_READ_MOST: Final = 256
_READ_BYTES: Final = 8192


def _remember(data: bytes, calls: tuple[Call, ...], *, expects_input: bool) -> None:
    # A secure string is read with the key of its own pool, and a document is no question.
    if len(data) > _READ_BYTES or b"<SS" in data:
        return
    if len(_READ) >= _READ_MOST:
        _READ.clear()
    _READ[data] = (calls, expects_input)


@lru_cache(maxsize=32)
def _private_data(build: str) -> bytes:
    return clixml.write(records.application_private_data(build))


class RunspacePool:
    """The contents of a PowerShell shell.

    ``build`` is the build of Windows (``20348.2227``); ``endpoint`` the name of the session configuration.
    """

    input_streams = "stdin pr"
    output_streams = "stdout"

    def __init__(self, build: str, endpoint: str = "") -> None:
        self._build = build
        self.endpoint = endpoint
        self._pool = psrpcore.ServerRunspacePool(application_private_data={"PSVersionTable": {}})
        self._pool_id: uuid.UUID | None = None
        self._fragments = Defragmenter()
        self._pipelines: dict[uuid.UUID, _Pipeline] = {}
        self._waiting: deque[uuid.UUID] = deque()
        self._outgoing: list[tuple[uuid.UUID | None, Outgoing]] = []
        self._next_object = 1
        self._next_incoming = 1
        self._minimum = self._maximum = 1
        self._has_capability = self._is_open = self._is_closed = self._is_prepared = False

    # -- called by the shell -------------------------------------------------------------------------------

    def create(self, creation: bytes) -> None:
        """Take the opening messages.

        Raises:
            WSManFault: They do not open a pool.
        """
        try:
            for message in self._fragments.feed(creation):
                self._take_pool_message(message)
        except MalformedFragment:
            raise faults.invalid_parameter("The creationXml holds no PSRP messages.") from None
        if not self._has_capability:
            raise faults.invalid_parameter("The creationXml holds no SESSION_CAPABILITY message.")

    def connect(self, data: bytes) -> bytes:
        """Take the messages of a client that connects to this pool, and return what connectResponseXml holds.

        Raises:
            WSManFault: They are not meant for this pool.
        """
        fragments = Defragmenter()
        try:
            messages = list(fragments.feed(data))
        except MalformedFragment:
            raise faults.invalid_parameter("The connectXml holds no PSRP messages.") from None
        kinds = [message.type for message in messages]
        if kinds != [MessageType.SessionCapability, MessageType.ConnectRunspacePool] or any(
            message.pool_id != self._pool_id for message in messages
        ):
            raise faults.invalid_parameter("The connectXml is not meant for this runspace pool.")
        self._fragments = Defragmenter()
        init_data = clixml.write(records.pool_init_data(self._minimum, self._maximum))
        answer = [
            self._numbered(MessageType.SessionCapability, _CAPABILITY, None),
            self._numbered(MessageType.RunspacePoolInitData, init_data, None),
        ]
        self._emit(MessageType.RunspacePoolState, _OPENED)
        return b"".join(part.take(1 << 20) for part in answer)

    def command(self, command_id: uuid.UUID, arguments: bytes) -> list[Event]:
        """Begin a pipeline whose first fragments are ``arguments``."""
        self._pipelines[command_id] = _Pipeline()
        return self.receive(command_id, arguments)

    def receive(self, command_id: uuid.UUID | None, data: bytes) -> list[Event]:
        """Take fragments for one pipeline, or for the pool."""
        pipeline = self._pipelines.get(command_id) if command_id else None
        fragments = pipeline.fragments if pipeline else self._fragments
        events: list[Event] = []
        try:
            for message in fragments.feed(data):
                if pipeline is None:
                    self._take_pool_message(message)
                else:
                    assert command_id is not None
                    events += self._take_pipeline_message(command_id, pipeline, message)
        except MalformedFragment:
            self._close()
        return events

    def signal(self, command_id: uuid.UUID, *, forget: bool) -> list[Event]:
        """Stop a pipeline; with ``forget`` nobody waits for its end."""
        pipeline = self._pipelines.get(command_id)
        if pipeline is None:
            return []
        events: list[Event] = []
        match pipeline.phase:
            case _Phase.RUNNING:
                pipeline.is_forgotten = forget
                events.append(StopRequested(command_id))
            case _Phase.WAITING:
                if not forget:
                    self._finish(command_id, _STOPPED)
            case _Phase.FINISHED:
                pass
        if forget and pipeline.phase is not _Phase.RUNNING:
            self._drop(command_id)
        return events

    def outgoing(self) -> list[tuple[uuid.UUID | None, Outgoing]]:
        """Hand over what is ready to be sent, oldest first."""
        ready, self._outgoing = self._outgoing, []
        return ready

    def is_finished(self, command_id: uuid.UUID) -> bool:
        """Tell whether the pipeline's last message has been handed over."""
        pipeline = self._pipelines.get(command_id)
        return pipeline is None or pipeline.phase is _Phase.FINISHED

    @property
    def is_closed(self) -> bool:
        """Whether the pool closed itself."""
        return self._is_closed

    # -- called by whoever runs pipelines ------------------------------------------------------------------

    def write_output(self, pipeline_id: uuid.UUID, value: Any) -> None:
        """Send one object.

        Raises:
            UnserializableError: Not a neutral value.
        """
        self._write(pipeline_id, MessageType.PipelineOutput, b"" if value is None else clixml.write(value))

    def write_error(self, pipeline_id: uuid.UUID, error: records.ErrorDetails) -> None:
        """Send a non-terminating error."""
        self._write(pipeline_id, MessageType.ErrorRecord, clixml.write(records.error_record(error)))

    def write_verbose(self, pipeline_id: uuid.UUID, text: str) -> None:
        """Send a verbose record."""
        payload = clixml.write(records.informational("Verbose", text))
        self._write(pipeline_id, MessageType.VerboseRecord, payload)

    def write_warning(self, pipeline_id: uuid.UUID, text: str) -> None:
        """Send a warning."""
        payload = clixml.write(records.informational("Warning", text))
        self._write(pipeline_id, MessageType.WarningRecord, payload)

    def write_progress(self, pipeline_id: uuid.UUID, activity: str, status: str, percent: int) -> None:
        """Send a progress record."""
        payload = clixml.write(records.progress(activity, status, percent))
        self._write(pipeline_id, MessageType.ProgressRecord, payload)

    def set_should_exit(self, pipeline_id: uuid.UUID, code: int) -> None:
        """Tell the client's host that a script ended by ``exit``."""
        self._write(pipeline_id, MessageType.PipelineHostCall, clixml.write(records.set_should_exit(code)))

    def complete(self, pipeline_id: uuid.UUID) -> list[Event]:
        """End a pipeline well; the events begin those that waited for its runspace."""
        return self._finish(pipeline_id, _COMPLETED)

    def fail(self, pipeline_id: uuid.UUID, error: records.ErrorDetails) -> list[Event]:
        """End a pipeline by a terminating error."""
        payload = clixml.write(records.pipeline_state(records.STATE_FAILED, error))
        return self._finish(pipeline_id, payload)

    def stopped(self, pipeline_id: uuid.UUID) -> list[Event]:
        """End a pipeline that was asked to stop."""
        return self._finish(pipeline_id, _STOPPED)

    # -- inside --------------------------------------------------------------------------------------------

    def _numbered(self, kind: MessageType, payload: bytes, pipeline_id: uuid.UUID | None) -> Outgoing:
        pipeline = self._pipelines.get(pipeline_id) if pipeline_id else None
        wire_id = pipeline.wire_id if pipeline else None
        # The first answer goes out before the pool has its id: real servers send zeros there too.
        blob = encode_message(Message(kind, self._pool_id or NIL, wire_id, payload))
        number = self._next_object
        self._next_object += 1
        return Outgoing(number, blob)

    def _emit(
        self,
        kind: MessageType,
        payload: bytes,
        pipeline_id: uuid.UUID | None = None,
        *,
        ends_response: bool = False,
    ) -> None:
        message = self._numbered(kind, payload, pipeline_id)
        message.ends_response = ends_response
        self._outgoing.append((pipeline_id, message))

    def _write(self, pipeline_id: uuid.UUID, kind: MessageType, payload: bytes) -> None:
        pipeline = self._pipelines.get(pipeline_id)
        if pipeline is not None and pipeline.phase is _Phase.RUNNING:
            self._emit(kind, payload, pipeline_id)

    def _understand(self, message: Message) -> _ClientEvent | None:
        """Let psrpcore read one message; None when it is to be ignored."""
        if _is_hostile(message.data):
            return None
        number = self._next_incoming
        self._next_incoming += 1
        payload = psrpcore.PSRPPayload(
            whole_fragment(message, number), psrpcore.StreamType.default, message.pipeline_id
        )
        self._pool.receive_data(payload)
        try:
            event = self._pool.next_event()
        except Exception:  # noqa: BLE001 - psrpcore raises what the broken message provokes, of any class
            return None
        return event

    def _own_replies(self) -> list[Message]:
        """Take what psrpcore wanted to answer by itself."""
        found: list[Message] = []
        while (payload := self._pool.data_to_send()) is not None:
            found += [decode_message(blob) for _, _, _, blob in split_fragments(payload.data)]
        return found

    def _take_pool_message(self, message: Message) -> None:
        is_first = message.type == MessageType.SessionCapability
        if is_first is self._has_capability or (not is_first and message.pool_id != self._pool_id):
            self._close()
        if self._is_closed or _is_hostile(message.data):
            return
        if message.type in _QUESTIONS:
            self._take_question(message)
            return
        event = self._understand(message)
        replies = self._own_replies()
        match event:
            case psrpcore.SessionCapabilityEvent():
                self._has_capability = True
                self._emit(MessageType.SessionCapability, _CAPABILITY)
                self._pool_id = message.pool_id
            case psrpcore.InitRunspacePoolEvent() if not self._is_open:
                self._open(event)
            case psrpcore.PublicKeyEvent():
                for reply in replies:
                    self._emit(MessageType(reply.type), reply.data)
            case _:
                return

    def _open(self, event: psrpcore.InitRunspacePoolEvent) -> None:
        try:
            minimum, maximum = int(event.min_runspaces), int(event.max_runspaces)
        except (AttributeError, TypeError, ValueError):
            return
        self._minimum, self._maximum = max(1, minimum), max(1, maximum)
        self._emit(MessageType.ApplicationPrivateData, _private_data(self._build), ends_response=True)
        self._is_open = True
        self._emit(MessageType.RunspacePoolState, _OPENED)

    def _take_question(self, message: Message) -> None:
        """Answer the messages that ask about the pool's size. Names are compared as PowerShell does."""
        try:
            root = ET.fromstring(message.data)  # noqa: S314 - without a DOCTYPE there are no entities
            members = {(item.get("N") or "").casefold(): item.text or "" for item in root.iterfind("MS/*")}
            call_id = int(members["ci"])
            answer = self._answer(message.type, members)
        except (ET.ParseError, KeyError, ValueError):
            return
        self._emit(MessageType.RunspaceAvailability, clixml.write(records.availability(call_id, answer)))

    def _answer(self, kind: int, members: Mapping[str, str]) -> bool | int:
        is_possible = True
        match kind:
            case MessageType.GetAvailableRunspaces:
                busy = sum(pipeline.phase is _Phase.RUNNING for pipeline in self._pipelines.values())
                return max(0, self._maximum - busy)
            case MessageType.SetMaxRunspaces:
                count = int(members["maxrunspaces"])
                is_possible = self._minimum <= count
                self._maximum = count if is_possible else self._maximum
            case MessageType.SetMinRunspaces:
                count = int(members["minrunspaces"])
                is_possible = 1 <= count <= self._maximum
                self._minimum = count if is_possible else self._minimum
        return is_possible

    def _take_pipeline_message(
        self, pipeline_id: uuid.UUID, pipeline: _Pipeline, message: Message
    ) -> Sequence[Event]:
        if self._is_closed:
            return ()
        if message.pool_id != self._pool_id:
            self._close()
            return ()
        if pipeline.wire_id is None and message.pipeline_id is not None:
            pipeline.wire_id = message.pipeline_id
            psrpcore.ServerPipeline(self._pool, message.pipeline_id)
        if message.pipeline_id != pipeline.wire_id:
            return ()
        known = _READ.get(message.data) if message.type == MessageType.CreatePipeline else None
        if known is not None and pipeline.pending is None:
            pipeline.pending = PipelineRequested(pipeline_id, *known)
            return self._begin(pipeline_id)
        event = self._understand(message)
        self._own_replies()
        try:
            return self._pipeline_event(pipeline_id, pipeline, event, message.data)
        except Exception:  # noqa: BLE001 - psrpcore raises what a missing or wrong field provokes, of any class
            return ()  # the real server stays silent

    def _pipeline_event(
        self, pipeline_id: uuid.UUID, pipeline: _Pipeline, event: _ClientEvent | None, data: bytes
    ) -> Sequence[Event]:
        match event:
            case psrpcore.CreatePipelineEvent() if pipeline.pending is None:
                shell = event.pipeline
                calls = tuple(_call(command) for command in shell.commands)
                pipeline.pending = PipelineRequested(pipeline_id, calls, not shell.no_input)
                _remember(data, calls, expects_input=not shell.no_input)
                return self._begin(pipeline_id)
            case psrpcore.GetCommandMetadataEvent() if pipeline.pending is None:
                names = event.pipeline.name or ["*"]
                pipeline.pending = MetadataRequested(pipeline_id, tuple(str(name) for name in names))
                return self._begin(pipeline_id)
            case psrpcore.PipelineInputEvent():
                return self._input(pipeline, InputArrived(pipeline_id, clixml.read(event.data)))
            case psrpcore.EndOfPipelineInputEvent():
                return self._input(pipeline, InputEnded(pipeline_id))
            case _:
                return ()

    def _input(self, pipeline: _Pipeline, event: InputArrived | InputEnded) -> Sequence[Event]:
        if pipeline.phase is _Phase.RUNNING:
            return (event,)
        if pipeline.phase is _Phase.WAITING:
            pipeline.early_input.append(event)
        return ()

    def _begin(self, pipeline_id: uuid.UUID) -> list[Event]:
        self._waiting.append(pipeline_id)
        return self._use_free_runspaces()

    def _use_free_runspaces(self) -> list[Event]:
        events: list[Event] = []
        free = self._maximum - sum(item.phase is _Phase.RUNNING for item in self._pipelines.values())
        while free > 0 and self._waiting:
            pipeline_id = self._waiting.popleft()
            pipeline = self._pipelines[pipeline_id]
            assert pipeline.pending is not None
            free -= 1
            pipeline.phase = _Phase.RUNNING
            if not self._is_prepared:
                self._is_prepared = True
                self._emit(MessageType.ProgressRecord, _PREPARING, pipeline_id)
            events.append(pipeline.pending)
            events += pipeline.early_input
            pipeline.early_input.clear()
        return events

    def _finish(self, pipeline_id: uuid.UUID, payload: bytes) -> list[Event]:
        pipeline = self._pipelines.get(pipeline_id)
        if pipeline is None or pipeline.phase is _Phase.FINISHED:
            return []
        if pipeline_id in self._waiting:
            self._waiting.remove(pipeline_id)
        pipeline.phase = _Phase.FINISHED
        if pipeline.is_forgotten:
            self._drop(pipeline_id)
        else:
            self._emit(MessageType.PipelineState, payload, pipeline_id)
        return self._use_free_runspaces()

    def _drop(self, command_id: uuid.UUID) -> None:
        pipeline = self._pipelines.pop(command_id, None)
        if command_id in self._waiting:
            self._waiting.remove(command_id)
        if pipeline is not None and pipeline.wire_id is not None:
            self._pool.pipeline_table.pop(pipeline.wire_id, None)

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._emit(MessageType.RunspacePoolState, _CLOSING)
            self._emit(MessageType.RunspacePoolState, _CLOSED)


def _call(command: Any) -> Call:
    """Read one command; a parameter name may carry a colon or a dash, and a switch has no value."""
    parameters = tuple(
        (None if name is None else str(name).lstrip("-").removesuffix(":"), clixml.read(value))
        for name, value in command.parameters
    )
    return Call(
        str(command.command_text), parameters, bool(command.is_script), bool(command.end_of_statement)
    )
