"""One runspace pool of the server: what each message of a client does to it.

A message that cannot be understood is dropped, as the real server drops it: the pipeline it was for gives no
answer, the pool lives on. A message for another pool, a second SESSION_CAPABILITY and CLOSE_SESSION close the
pool. A client of another major version gets the server's SESSION_CAPABILITY and nothing after it.

Source: MS-PSRP 3.2; reactions to odd input as measured on a real server.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from provisioner.wire import clixml, faults, records
from provisioner.wire.fragments import (
    NIL,
    TO_SERVER,
    Defragmenter,
    MalformedFragment,
    Message,
    Outgoing,
    encode_message,
)
from provisioner.wire.psrp import requests
from provisioner.wire.psrp.events import (
    Event,
    HostAnswered,
    HostInfo,
    InputArrived,
    InputEnded,
    KeyOffered,
    MetadataRequested,
    PipelineRequested,
    StopRequested,
)
from provisioner.wire.psrp.message_types import MessageType
from provisioner.wire.psrp.pipelines import Phase, Pipeline, Pipelines
from provisioner.wire.psrp.session_key import SessionKey

_STATE_OPENED: Final = 2
_STATE_CLOSED: Final = 3
_STATE_CLOSING: Final = 4

_OPENED: Final = clixml.write(records.pool_state(_STATE_OPENED))
_CLOSING: Final = clixml.write(records.pool_state(_STATE_CLOSING))
_CLOSED: Final = clixml.write(records.pool_state(_STATE_CLOSED))
_COMPLETED: Final = clixml.write(records.pipeline_state(records.STATE_COMPLETED))
_STOPPED: Final = clixml.write(records.pipeline_state(records.STATE_STOPPED, records.STOPPED))
_PREPARING: Final = clixml.write(
    records.progress("Preparing modules for first use.", " ", -1, is_completed=True)
)
_MESSAGE_TYPES: Final = frozenset(MessageType)
#: The messages that records of text travel in.
_RECORD_STREAMS: Final = {
    "Warning": MessageType.WARNING_RECORD,
    "Verbose": MessageType.VERBOSE_RECORD,
    "Debug": MessageType.DEBUG_RECORD,
}


@lru_cache(maxsize=32)
def _private_data(build: str) -> bytes:
    return clixml.write(records.application_private_data(build))


@lru_cache(maxsize=8)
def _capability(version: str) -> bytes:
    return clixml.write(records.session_capability(version))


class RunspacePool:
    """The contents of a PowerShell shell.

    ``build`` is the build of Windows (``20348.2227``); ``endpoint`` the name of the session configuration. Only an
    administrator may ask for threads of his own choice. ``session_key`` is set by who runs the pool, before the
    first secure string.
    """

    input_streams = "stdin pr"
    output_streams = "stdout"

    def __init__(self, build: str, endpoint: str = "", *, is_administrator: bool = True) -> None:
        self._build = build
        self.endpoint = endpoint
        self.session_key: SessionKey | None = None
        self._is_administrator = is_administrator
        self._pool_id: uuid.UUID | None = None
        self._fragments = Defragmenter()
        self._pipelines = Pipelines()
        self._outgoing: list[tuple[uuid.UUID | None, Outgoing]] = []
        self._next_object = 1
        self._minimum = 1
        self._host = HostInfo()
        self._version = ""
        self._opened: tuple[int, bytes] | None = None
        self._is_compatible = self._is_deaf = self._is_open = self._is_closed = self._is_prepared = False

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
        if not self._version:
            raise faults.invalid_parameter("The creationXml holds no SESSION_CAPABILITY message.")

    def connect(self, data: bytes) -> bytes:
        """Take the messages of a client that connects to this pool, and return what connectResponseXml holds.

        Raises:
            WSManFault: They are not meant for this pool.
        """
        try:
            messages = list(Defragmenter().feed(data))
            kinds = [message.type for message in messages]
            if kinds != [MessageType.SESSION_CAPABILITY, MessageType.CONNECT_RUNSPACEPOOL] or any(
                message.pool_id != self._pool_id for message in messages
            ):
                raise faults.invalid_parameter("The connectXml is not meant for this runspace pool.")
            size = requests.connecting(self._read(messages[1]))
        except (MalformedFragment, clixml.UnreadableError, requests.Refused):
            raise faults.invalid_parameter("The connectXml holds no PSRP messages.") from None
        if size is not None:
            self._minimum, self._pipelines.size = size
        self._fragments = Defragmenter()
        init_data = clixml.write(records.pool_init_data(self._minimum, self._pipelines.size))
        answer = [
            self._numbered(MessageType.SESSION_CAPABILITY, _capability(self._version), None),
            self._numbered(MessageType.RUNSPACEPOOL_INIT_DATA, init_data, None),
        ]
        if self._opened is not None and not self._is_prepared:
            # What nobody has acknowledged comes once more, under its old number.
            self._outgoing.append((None, Outgoing(*self._opened, ends_response=True)))
        self._emit(MessageType.APPLICATION_PRIVATE_DATA, _private_data(self._build), ends_response=True)
        return b"".join(part.take(1 << 20) for part in answer)

    def command(self, command_id: uuid.UUID, arguments: bytes) -> list[Event]:
        """Begin a pipeline whose first fragments are ``arguments``."""
        self._pipelines.add(command_id)
        return self.receive(command_id, arguments)

    def receive(self, command_id: uuid.UUID | None, data: bytes) -> list[Event]:
        """Take fragments for one pipeline, or for the pool. What cannot be followed is lost, as on Windows."""
        pipeline = self._pipelines.get(command_id)
        if pipeline is None and command_id is not None:
            return []
        fragments = pipeline.fragments if pipeline else self._fragments
        events: list[Event] = []
        try:
            for message in fragments.feed(data):
                if pipeline is None:
                    events += self._take_host_answer(message) or self._take_pool_message(message)
                else:
                    assert command_id is not None
                    events += self._take_pipeline_message(command_id, pipeline, message)
        except MalformedFragment:
            pass
        return events

    def signal(self, command_id: uuid.UUID, *, forget: bool) -> list[Event]:
        """Stop a pipeline; with ``forget`` nobody waits for its end."""
        pipeline = self._pipelines.get(command_id)
        if pipeline is None:
            return []
        events: list[Event] = []
        match pipeline.phase:
            case Phase.RUNNING:
                pipeline.is_forgotten = forget
                events.append(StopRequested(command_id))
            case Phase.WAITING if not forget:
                self._finish(command_id, _STOPPED)
            case _:
                pass
        if forget and pipeline.phase is not Phase.RUNNING:
            self._pipelines.drop(command_id)
        return events

    def outgoing(self) -> list[tuple[uuid.UUID | None, Outgoing]]:
        """Hand over what is ready to be sent, oldest first."""
        ready, self._outgoing = self._outgoing, []
        return ready

    def is_finished(self, command_id: uuid.UUID) -> bool:
        """Tell whether the pipeline's last message has been handed over."""
        pipeline = self._pipelines.get(command_id)
        return pipeline is None or pipeline.phase is Phase.FINISHED

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
        payload = b"" if value is None else clixml.write(value, self._encrypt)
        self._write(pipeline_id, MessageType.PIPELINE_OUTPUT, payload)

    def write_error(self, pipeline_id: uuid.UUID, error: records.ErrorDetails) -> None:
        """Send a non-terminating error."""
        record = records.error_record(error, is_extended=self._tells(pipeline_id, "error"))
        self._write(pipeline_id, MessageType.ERROR_RECORD, clixml.write(record, self._encrypt))

    def write_text(
        self, pipeline_id: uuid.UUID, kind: str, text: str, invocation: records.Invocation | None = None
    ) -> None:
        """Send a record of text; ``kind`` is Warning, Verbose or Debug."""
        told = invocation if self._tells(pipeline_id, kind.casefold()) else None
        record = records.informational(kind, text, told)
        self._write(pipeline_id, _RECORD_STREAMS[kind], clixml.write(record, self._encrypt))

    def write_information(self, pipeline_id: uuid.UUID, record: records.InformationDetails) -> None:
        """Send an information record."""
        payload = clixml.write(records.information(record), self._encrypt)
        self._write(pipeline_id, MessageType.INFORMATION_RECORD, payload)

    def write_progress(
        self,
        pipeline_id: uuid.UUID,
        activity: str,
        status: str,
        percent: int,
        *,
        operation: str | None = None,
    ) -> None:
        """Send a progress record."""
        payload = clixml.write(records.progress(activity, status, percent, operation=operation))
        self._write(pipeline_id, MessageType.PROGRESS_RECORD, payload)

    def tell_host(
        self, pipeline_id: uuid.UUID, method: str, number: int, parameters: Sequence[Any] = ()
    ) -> None:
        """Have the client's host do something that has no answer; nothing is sent where there is no host."""
        if self._host_of(pipeline_id).has_ui:
            call = records.host_call(records.NO_ANSWER, method, number, list(parameters))
            self._write(pipeline_id, MessageType.PIPELINE_HOST_CALL, clixml.write(call, self._encrypt))

    def call_host(
        self, pipeline_id: uuid.UUID, method: str, number: int, parameters: Sequence[Any] = ()
    ) -> int | None:
        """Ask the client's host; HostAnswered with the returned id follows, if the client ever answers.

        Returns None, and asks nothing, when the client has no user interface or the pipeline is over. ``number``
        is that of the method in RemoteHostMethodId.
        """
        pipeline = self._pipelines.get(pipeline_id)
        if pipeline is None or pipeline.phase is not Phase.RUNNING or not self._host_of(pipeline_id).has_ui:
            return None
        pipeline.calls_made += 1
        pipeline.open_calls.add(pipeline.calls_made)
        call = records.host_call(pipeline.calls_made, method, number, list(parameters))
        payload = clixml.write(call, self._encrypt)
        self._emit(MessageType.PIPELINE_HOST_CALL, payload, pipeline_id, awaits_answer=True)
        return pipeline.calls_made

    def set_should_exit(self, pipeline_id: uuid.UUID, code: int) -> None:
        """Tell the client's host, if there is one or not, that a script ended by ``exit``."""
        self._write(pipeline_id, MessageType.PIPELINE_HOST_CALL, clixml.write(records.set_should_exit(code)))

    def send_event(self, event: records.EventDetails) -> None:
        """Tell the client of an event."""
        if self._is_open and not self._is_closed:
            self._emit(MessageType.USER_EVENT, clixml.write(records.user_event(event), self._encrypt))

    def give_key(self, public_key: bytes) -> None:
        """Answer KeyOffered with the pool's key. What is no public key gets no answer."""
        if self.session_key is None:
            return
        try:
            wrapped = base64.b64encode(self.session_key.wrap(public_key)).decode()
        except ValueError:
            return
        self._emit(MessageType.ENCRYPTED_SESSION_KEY, clixml.write(records.encrypted_session_key(wrapped)))

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

    def _host_of(self, pipeline_id: uuid.UUID) -> HostInfo:
        pipeline = self._pipelines.get(pipeline_id)
        request = pipeline.request if pipeline is not None else None
        return request.host if isinstance(request, PipelineRequested) else HostInfo()

    # -- sending -------------------------------------------------------------------------------------------

    def _numbered(self, kind: MessageType, payload: bytes, pipeline_id: uuid.UUID | None) -> Outgoing:
        pipeline = self._pipelines.get(pipeline_id)
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
        awaits_answer: bool = False,
    ) -> Outgoing:
        message = self._numbered(kind, payload, pipeline_id)
        message.ends_response, message.awaits_answer = ends_response, awaits_answer
        self._outgoing.append((pipeline_id, message))
        return message

    def _write(self, pipeline_id: uuid.UUID, kind: MessageType, payload: bytes) -> None:
        pipeline = self._pipelines.get(pipeline_id)
        if pipeline is not None and pipeline.phase is Phase.RUNNING:
            self._emit(kind, payload, pipeline_id)

    def _tells(self, pipeline_id: uuid.UUID, stream: str) -> bool:
        """Tell whether the records of a stream say which command wrote them."""
        pipeline = self._pipelines.get(pipeline_id)
        return pipeline is not None and stream in pipeline.invocation_streams

    def _encrypt(self, text: str) -> str:
        if self.session_key is None:
            raise clixml.UnserializableError("a secure string before the pool has a key")
        return base64.b64encode(self.session_key.encrypt(text)).decode()

    def _decrypt(self, text: str) -> str:
        if self.session_key is None:
            raise ValueError("no key yet")
        return self.session_key.decrypt(base64.b64decode(text, validate=True))

    # -- receiving -----------------------------------------------------------------------------------------

    def _read(self, message: Message) -> Any:
        return clixml.read(message.data, self._decrypt)

    def _is_foreign(self, message: Message) -> bool:
        """Tell whether a message is to be passed over, and close the pool if it says that it should be."""
        if self._is_closed or message.destination != TO_SERVER or message.type not in _MESSAGE_TYPES:
            return True
        if self._version and message.pool_id != self._pool_id:
            self._close()
        return self._is_closed

    def _take_pool_message(self, message: Message) -> Sequence[Event]:
        if self._is_foreign(message):
            return ()
        try:
            return self._pool_message(message)
        except (clixml.UnreadableError, requests.Refused):
            return ()

    def _pool_message(self, message: Message) -> Sequence[Event]:
        if message.type == MessageType.SESSION_CAPABILITY:
            self._negotiate(message)
            return ()
        # Who does not begin with a capability is not listened to any more.
        self._is_deaf = self._is_deaf or not self._version
        if not self._is_compatible:
            return ()
        match message.type:
            case MessageType.INIT_RUNSPACEPOOL if not self._is_open:
                self._open(requests.opening(self._read(message)))
            case MessageType.CLOSE_SESSION:
                self._close()
            case MessageType.PUBLIC_KEY:
                return (KeyOffered(requests.public_key(self._read(message))),)
            case (
                MessageType.GET_AVAILABLE_RUNSPACES
                | MessageType.SET_MAX_RUNSPACES
                | MessageType.SET_MIN_RUNSPACES
                | MessageType.RESET_RUNSPACE_STATE
            ) if self._is_open:
                return self._answer(message.type, self._read(message))
        return ()

    def _negotiate(self, message: Message) -> None:
        if self._version:
            self._close()
        if self._version or self._is_deaf:
            return
        found = requests.capability(self._read(message))
        self._version, self._is_compatible = found.version, found.is_compatible
        self._emit(MessageType.SESSION_CAPABILITY, _capability(found.version))
        self._pool_id = message.pool_id

    def _open(self, opening: requests.Opening) -> None:
        if opening.sets_threads and not self._is_administrator:
            return
        self._minimum, self._pipelines.size, self._host = opening.minimum, opening.maximum, opening.host
        self._emit(MessageType.APPLICATION_PRIVATE_DATA, _private_data(self._build), ends_response=True)
        self._is_open = True
        opened = self._emit(MessageType.RUNSPACEPOOL_STATE, _OPENED)
        self._opened = (opened.object_id, opened.blob)

    def _answer(self, kind: int, value: Any) -> Sequence[Event]:
        """Answer a question about the pool's size."""
        call_id = requests.call_id(value)
        answer: bool | int = True
        match kind:
            case MessageType.GET_AVAILABLE_RUNSPACES:
                answer = self._pipelines.free
            case MessageType.SET_MAX_RUNSPACES:
                count = requests.count(value, "MaxRunspaces")
                answer = self._minimum <= count
                self._pipelines.size = count if answer else self._pipelines.size
            case MessageType.SET_MIN_RUNSPACES:
                count = requests.count(value, "MinRunspaces")
                answer = 1 <= count <= self._pipelines.size
                self._minimum = count if answer else self._minimum
        self._emit(MessageType.RUNSPACE_AVAILABILITY, clixml.write(records.availability(call_id, answer)))
        return self._start_waiting()

    def _take_host_answer(self, message: Message) -> Sequence[Event]:
        """Take an answer for a pipeline from the stream of the pool: pypsrp names no command with it."""
        if message.type != MessageType.PIPELINE_HOST_RESPONSE:
            return ()
        pipeline_id = self._pipelines.of(message.pipeline_id)
        pipeline = self._pipelines.get(pipeline_id)
        if pipeline is None or pipeline_id is None:
            return ()
        return self._take_pipeline_message(pipeline_id, pipeline, message)

    def _take_pipeline_message(
        self, pipeline_id: uuid.UUID, pipeline: Pipeline, message: Message
    ) -> Sequence[Event]:
        if not self._is_open or self._is_foreign(message):
            return ()
        if pipeline.wire_id is None:
            pipeline.wire_id = message.pipeline_id
        if message.pipeline_id != pipeline.wire_id:
            return ()
        try:
            return self._pipeline_message(pipeline_id, pipeline, message)
        except (clixml.UnreadableError, requests.Refused):
            return ()  # the real server stays silent, and the pipeline never ends

    def _pipeline_message(
        self, pipeline_id: uuid.UUID, pipeline: Pipeline, message: Message
    ) -> Sequence[Event]:
        match message.type:
            case MessageType.CREATE_PIPELINE if pipeline.request is None:
                pipeline.request = self._request(pipeline_id, requests.pipeline(self._read(message)))
            case MessageType.GET_COMMAND_METADATA if pipeline.request is None:
                patterns = requests.command_patterns(self._read(message))
                pipeline.request = MetadataRequested(pipeline_id, patterns)
            case MessageType.PIPELINE_INPUT:
                value = self._read(message) if message.data else None
                return pipeline.take_input(InputArrived(pipeline_id, value))
            case MessageType.END_OF_PIPELINE_INPUT:
                return pipeline.take_input(InputEnded(pipeline_id))
            case MessageType.PIPELINE_HOST_RESPONSE:
                answer = requests.host_response(self._read(message))
                return pipeline.take_answer(
                    HostAnswered(pipeline_id, answer.call_id, answer.value, answer.error)
                )
            case _:
                return ()
        self._pipelines.enqueue(pipeline_id)
        return self._start_waiting()

    def _request(self, pipeline_id: uuid.UUID, found: requests.Pipeline) -> PipelineRequested:
        return PipelineRequested(
            pipeline_id,
            found.calls,
            found.expects_input,
            host=self._host if found.host.uses_runspace_host else found.host,
            is_nested=found.is_nested,
            adds_to_history=found.adds_to_history,
            invocation_streams=found.invocation_streams,
        )

    def _start_waiting(self) -> list[Event]:
        events: list[Event] = []
        for pipeline_id in self._pipelines.start():
            pipeline = self._pipelines.get(pipeline_id)
            assert pipeline is not None
            assert pipeline.request is not None
            if not self._is_prepared:
                self._is_prepared = True
                self._emit(MessageType.PROGRESS_RECORD, _PREPARING, pipeline_id)
            events.append(pipeline.request)
            events += pipeline.early
            pipeline.early.clear()
        return events

    def _finish(self, pipeline_id: uuid.UUID, payload: bytes) -> list[Event]:
        pipeline = self._pipelines.get(pipeline_id)
        if pipeline is None or pipeline.phase is Phase.FINISHED:
            return []
        self._pipelines.finish(pipeline_id)
        if pipeline.is_forgotten:
            self._pipelines.drop(pipeline_id)
        else:
            self._emit(MessageType.PIPELINE_STATE, payload, pipeline_id)
        return self._start_waiting()

    def _close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._emit(MessageType.RUNSPACEPOOL_STATE, _CLOSING)
            self._emit(MessageType.RUNSPACEPOOL_STATE, _CLOSED)
