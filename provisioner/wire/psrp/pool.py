"""One runspace pool of the server: what each message of a client does to it.

A message that cannot be understood is dropped, as the real server drops it: the pipeline it was for gives no
answer, the pool lives on, and what came behind it waits for more data. A question to another pool, a second
SESSION_CAPABILITY and CLOSE_SESSION close the pool; before there is a pool they, and whatever else comes out of
turn, make the session deaf without a word. A client of another major version gets the server's SESSION_CAPABILITY
and nothing after it. Which stream carried a message is no matter: its type and its ids tell whom it is for.

Source: MS-PSRP 3.2; reactions to odd input as measured on a real server; order and states as those of
ServerRemoteSessionDSHandlerStateMachine of PowerShell.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, Final

from provisioner.wire import clixml, faults, records
from provisioner.wire.fragments import (
    NIL,
    TO_SERVER,
    Defragmenter,
    MalformedFragment,
    Message,
    Outgoing,
    TooMuchData,
    encode_message,
)
from provisioner.wire.psrp import payloads, requests
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
from provisioner.wire.psrp.message_types import MessageType, Target, target
from provisioner.wire.psrp.pipelines import Phase, Pipelines
from provisioner.wire.psrp.session_key import KeyMissing, Secrets, SessionKey

_PROMPT_STREAM: Final = "pr"
#: Versions of clients that wait to be asked for their key.
_OLD_VERSIONS: Final = frozenset({"2.0", "2.1"})
#: The messages that records of text travel in.
_RECORD_STREAMS: Final = {
    "Warning": MessageType.WARNING_RECORD,
    "Verbose": MessageType.VERBOSE_RECORD,
    "Debug": MessageType.DEBUG_RECORD,
}


class _Stage(Enum):
    """Where the session is."""

    NEGOTIATING = "negotiating"
    ESTABLISHED = "established"
    KEY_WANTED = "key wanted"  #: the client was asked for its key, and may say nothing else
    CLOSED = "closed"


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
        self._secrets = Secrets()
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
        self._prompt_fragments: Defragmenter | None = None
        # Messages that cannot be read, and such that cannot be written, before there is a key.
        self._unread: list[tuple[uuid.UUID | None, Message]] = []
        self._late: list[tuple[uuid.UUID | None, bytes, str]] = []
        self._unwritten: dict[uuid.UUID, list[tuple[MessageType, Callable[[], bytes]]]] = {}
        self._stage = _Stage.NEGOTIATING
        self._is_open = self._is_closed = self._is_prepared = False

    @property
    def session_key(self) -> SessionKey | None:
        """The key of the pool's secure strings."""
        return self._secrets.key

    @session_key.setter
    def session_key(self, key: SessionKey) -> None:
        self._secrets.key = key

    # -- called by the shell -------------------------------------------------------------------------------

    def create(self, creation: bytes) -> None:
        """Take the opening messages.

        Raises:
            WSManFault: They do not open a pool.
        """
        try:
            for message in self._fragments.feed(creation):
                self._take(message, None)
        except MalformedFragment:
            raise faults.invalid_parameter("The creationXml holds no PSRP messages.") from None
        except (clixml.UnreadableError, clixml.UnserializableError, requests.Refused):
            pass  # the pool is not opened, and nobody is told
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
            client = requests.capability(self._read(messages[0]))
            size = requests.connecting(self._read(messages[1]))
        except (MalformedFragment, clixml.UnreadableError, requests.Refused):
            raise faults.invalid_parameter("The connectXml holds no PSRP messages.") from None
        if client is None or not client.can_connect:
            raise faults.invalid_parameter("The client's version cannot connect to a runspace pool.")
        # The size stays what it is; a client may be wrong about one end of it.
        if size is not None and size[0] != self._minimum and size[1] != self._pipelines.size:
            raise faults.invalid_parameter("The runspace pool has another size.")
        self._fragments = Defragmenter()
        init_data = clixml.write(records.pool_init_data(self._minimum, self._pipelines.size))
        answer = [
            self._numbered(MessageType.SESSION_CAPABILITY, payloads.capability(self._version), None),
            self._numbered(MessageType.RUNSPACEPOOL_INIT_DATA, init_data, None),
        ]
        if self._opened is not None and not self._is_prepared:  # nobody acknowledged it: it comes again
            self._outgoing.append((None, Outgoing(*self._opened, ends_response=True)))
        self._emit(
            MessageType.APPLICATION_PRIVATE_DATA,
            payloads.private_data(self._build, self._version),
            ends_response=True,
        )
        return b"".join(part.take(1 << 20) for part in answer)

    def command(self, command_id: uuid.UUID, arguments: bytes) -> list[Event]:
        """Begin a pipeline whose first fragments are ``arguments``."""
        self._pipelines.add(command_id)
        return self.receive(command_id, arguments)

    def receive(self, command_id: uuid.UUID | None, data: bytes, stream: str = "stdin") -> list[Event]:
        """Take fragments for one pipeline, or for the pool; each stream has a sequence of its own."""
        if command_id is not None and self._pipelines.get(command_id) is None:
            return []
        if any(waiting == command_id for waiting, _ in self._unread):
            self._late.append((command_id, data, stream))
            return []
        events: list[Event] = []
        try:
            for message in self._sequence(command_id, stream).feed(data):
                events += self._take(message, command_id)
        except TooMuchData as problem:
            raise faults.endpoint_failed(str(problem)) from None
        except (MalformedFragment, clixml.UnreadableError, requests.Refused):
            pass  # nobody is told; what came behind it waits for more data
        except KeyMissing:
            self._unread.append((command_id, message))
            self._ask_for_key()
        return events

    def _sequence(self, command_id: uuid.UUID | None, stream: str) -> Defragmenter:
        pipeline = self._pipelines.get(command_id)
        if stream != _PROMPT_STREAM:
            return pipeline.fragments if pipeline is not None else self._fragments
        if pipeline is not None:
            pipeline.prompt_fragments = pipeline.prompt_fragments or Defragmenter()
            return pipeline.prompt_fragments
        self._prompt_fragments = self._prompt_fragments or Defragmenter()
        return self._prompt_fragments

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
                self._finish(command_id, payloads.STOPPED)
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
        return pipeline is None or (pipeline.phase is Phase.FINISHED and command_id not in self._unwritten)

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
        self._write(pipeline_id, MessageType.PIPELINE_OUTPUT, value)

    def write_error(self, pipeline_id: uuid.UUID, error: records.ErrorDetails) -> None:
        """Send a non-terminating error."""
        record = records.error_record(error, is_extended=self._tells(pipeline_id, "error"))
        self._write(pipeline_id, MessageType.ERROR_RECORD, record)

    def write_text(
        self, pipeline_id: uuid.UUID, kind: str, text: str, invocation: records.Invocation | None = None
    ) -> None:
        """Send a record of text; ``kind`` is Warning, Verbose or Debug."""
        told = invocation if self._tells(pipeline_id, kind.casefold()) else None
        record = records.informational(kind, text, told)
        self._write(pipeline_id, _RECORD_STREAMS[kind], record)

    def write_information(self, pipeline_id: uuid.UUID, record: records.InformationDetails) -> None:
        """Send an information record."""
        self._write(pipeline_id, MessageType.INFORMATION_RECORD, records.information(record))

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
        record = records.progress(activity, status, percent, operation=operation)
        self._write(pipeline_id, MessageType.PROGRESS_RECORD, record)

    def tell_host(
        self, pipeline_id: uuid.UUID, method: str, number: int, parameters: Sequence[Any] = ()
    ) -> None:
        """Have the client's host do something that has no answer; nothing is sent where there is no host."""
        if self._host_of(pipeline_id).has_ui:
            call = records.host_call(records.NO_ANSWER, method, number, list(parameters))
            self._write(pipeline_id, MessageType.PIPELINE_HOST_CALL, call)

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
        payload = clixml.write(call, self._secrets.encrypt)
        self._emit(MessageType.PIPELINE_HOST_CALL, payload, pipeline_id, awaits_answer=True)
        return pipeline.calls_made

    def set_should_exit(self, pipeline_id: uuid.UUID, code: int) -> None:
        """Tell the client's host, if there is one or not, that a script ended by ``exit``."""
        self._write(pipeline_id, MessageType.PIPELINE_HOST_CALL, records.set_should_exit(code))

    def send_event(self, event: records.EventDetails) -> None:
        """Tell the client of an event."""
        if self._is_open and not self._is_closed:
            self._emit(MessageType.USER_EVENT, clixml.write(records.user_event(event), self._secrets.encrypt))

    def give_key(self, public_key: bytes) -> list[Event]:
        """Answer KeyOffered with the pool's key. What is no public key gets no answer.

        What waited for the key is written and read now.
        """
        wrapped = self._secrets.wrap(public_key)
        if wrapped is None:
            return []
        self._emit(MessageType.ENCRYPTED_SESSION_KEY, clixml.write(records.encrypted_session_key(wrapped)))
        self._stage = _Stage.ESTABLISHED if self._stage is _Stage.KEY_WANTED else self._stage
        unwritten, self._unwritten = self._unwritten, {}
        for pipeline_id, messages in unwritten.items():
            for kind, payload in messages:
                self._emit(kind, payload(), pipeline_id)
        unread, self._unread = self._unread, []
        late, self._late = self._late, []
        events: list[Event] = []
        for command_id, message in unread:
            try:
                events += self._take(message, command_id)
            except (clixml.UnreadableError, requests.Refused):
                continue
            events += self.receive(command_id, b"")
        for command_id, data, stream in late:
            events += self.receive(command_id, data, stream)
        return events

    def _ask_for_key(self) -> None:
        if self._stage is _Stage.ESTABLISHED:
            self._stage = _Stage.KEY_WANTED
            self._emit(MessageType.PUBLIC_KEY_REQUEST, clixml.write(""))

    def complete(self, pipeline_id: uuid.UUID) -> list[Event]:
        """End a pipeline well; the events begin those that waited for its runspace."""
        return self._finish(pipeline_id, payloads.COMPLETED)

    def fail(self, pipeline_id: uuid.UUID, error: records.ErrorDetails) -> list[Event]:
        """End a pipeline by a terminating error."""
        payload = clixml.write(records.pipeline_state(records.STATE_FAILED, error))
        return self._finish(pipeline_id, payload)

    def stopped(self, pipeline_id: uuid.UUID) -> list[Event]:
        """End a pipeline that was asked to stop."""
        return self._finish(pipeline_id, payloads.STOPPED)

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

    def _write(self, pipeline_id: uuid.UUID, kind: MessageType, value: Any) -> None:
        """Send a message of a running pipeline; null has no payload."""
        pipeline = self._pipelines.get(pipeline_id)
        if pipeline is not None and pipeline.phase is Phase.RUNNING:
            self._say(
                pipeline_id,
                kind,
                lambda: b"" if value is None else clixml.write(value, self._secrets.encrypt),
            )

    def _say(self, pipeline_id: uuid.UUID, kind: MessageType, payload: Callable[[], bytes]) -> None:
        """Send a message of a pipeline after those that wait for a key."""
        waiting = self._unwritten.get(pipeline_id)
        if waiting is not None:
            waiting.append((kind, payload))
            return
        try:
            data = payload()
        except KeyMissing:
            self._unwritten[pipeline_id] = [(kind, payload)]
            self._ask_for_key()
        else:
            self._emit(kind, data, pipeline_id)

    def _tells(self, pipeline_id: uuid.UUID, stream: str) -> bool:
        """Tell whether the records of a stream say which command wrote them."""
        pipeline = self._pipelines.get(pipeline_id)
        return pipeline is not None and stream in pipeline.invocation_streams

    # -- receiving -----------------------------------------------------------------------------------------

    def _read(self, message: Message) -> Any:
        return clixml.read(message.data, self._secrets.decrypt)

    def _take(self, message: Message, command_id: uuid.UUID | None) -> Sequence[Event]:
        """Do what a message says; ``command_id`` is whose stream it came by.

        Raises:
            UnreadableError: Its payload is none.
            Refused: It says what the server does not take.
            KeyMissing: It cannot be read before there is a key.
        """
        if self._stage is _Stage.CLOSED:
            return ()
        value = self._read(message) if message.data else None
        if not message.destination & TO_SERVER:
            raise requests.Refused("not for the server")
        audience = target(message.type)
        if audience is Target.SESSION:
            return self._session_message(message, value)
        if audience is None:
            return ()
        if self._stage is not _Stage.ESTABLISHED:
            self._stage = _Stage.CLOSED
            return ()
        is_own = self._is_open and message.pool_id == self._pool_id
        if audience is Target.PIPELINE:
            if not is_own:
                raise requests.Refused("no such pool")
            return self._pipeline_message(message, value, command_id)
        if is_own:
            return self._pool_message(message, value, command_id)
        self._close()
        return ()

    def _session_message(self, message: Message, value: Any) -> Sequence[Event]:
        match message.type:
            case MessageType.SESSION_CAPABILITY:
                self._negotiate(requests.capability(value))
            case MessageType.INIT_RUNSPACEPOOL if self._stage is _Stage.ESTABLISHED:
                if self._is_open:
                    raise requests.Refused("the pool is open")
                self._open(requests.opening(value), message.pool_id)
            case MessageType.INIT_RUNSPACEPOOL:
                self._stage = _Stage.CLOSED
            case MessageType.CLOSE_SESSION:
                self._close()
            case MessageType.PUBLIC_KEY:
                offered = KeyOffered(requests.public_key(value))
                return () if self._stage is _Stage.NEGOTIATING else (offered,)
        return ()

    def _negotiate(self, found: requests.Capability | None) -> None:
        if self._stage is not _Stage.NEGOTIATING or found is None:
            self._close()
            return
        self._version = found.version
        self._secrets.is_asked_for = found.version in _OLD_VERSIONS
        self._emit(MessageType.SESSION_CAPABILITY, payloads.capability(found.version))
        self._stage = _Stage.ESTABLISHED if found.is_compatible else _Stage.CLOSED

    def _open(self, opening: requests.Opening, pool_id: uuid.UUID) -> None:
        if opening.sets_threads and not self._is_administrator:
            raise requests.Refused("threads of its own choice")
        self._pool_id, self._minimum, self._host = pool_id, opening.minimum, opening.host
        self._pipelines.open(opening.minimum, opening.maximum)
        self._emit(
            MessageType.APPLICATION_PRIVATE_DATA,
            payloads.private_data(self._build, self._version),
            ends_response=True,
        )
        self._is_open = True
        opened = self._emit(MessageType.RUNSPACEPOOL_STATE, payloads.OPENED)
        self._opened = (opened.object_id, opened.blob)

    def _pool_message(self, message: Message, value: Any, command_id: uuid.UUID | None) -> Sequence[Event]:
        match message.type:
            case MessageType.CREATE_PIPELINE | MessageType.GET_COMMAND_METADATA:
                return self._begin(message, value, command_id or message.pipeline_id)
            case (
                MessageType.GET_AVAILABLE_RUNSPACES
                | MessageType.SET_MAX_RUNSPACES
                | MessageType.SET_MIN_RUNSPACES
                | MessageType.RESET_RUNSPACE_STATE
            ):
                return self._answer(message.type, value)
        return ()

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
                if answer:
                    self._pipelines.resize(count)
            case MessageType.SET_MIN_RUNSPACES:
                count = requests.count(value, "MinRunspaces")
                answer = 1 <= count <= self._pipelines.size
                self._minimum = count if answer else self._minimum
            case MessageType.RESET_RUNSPACE_STATE:
                answer = self._pipelines.size == 1 and not self._pipelines.is_busy
        self._emit(MessageType.RUNSPACE_AVAILABILITY, clixml.write(records.availability(call_id, answer)))
        return self._start_waiting()

    def _begin(self, message: Message, value: Any, pipeline_id: uuid.UUID | None) -> Sequence[Event]:
        """Begin the pipeline whose command is there."""
        pipeline = self._pipelines.get(pipeline_id)
        if pipeline is None or pipeline_id is None or pipeline.request is not None:
            raise requests.Refused("no command, or one that has begun")
        pipeline.wire_id = message.pipeline_id
        if message.type == MessageType.CREATE_PIPELINE:
            found = requests.pipeline(value, reads_nested=self._version not in _OLD_VERSIONS)
            pipeline.request = self._request(pipeline_id, found)
        else:
            pipeline.request = MetadataRequested(pipeline_id, requests.command_patterns(value))
        self._pipelines.enqueue(pipeline_id)
        return self._start_waiting()

    def _pipeline_message(
        self, message: Message, value: Any, command_id: uuid.UUID | None
    ) -> Sequence[Event]:
        """Hand on what is for a pipeline that has begun; for any other it is dropped."""
        pipeline_id: uuid.UUID | None = command_id
        pipeline = self._pipelines.get(command_id)
        if pipeline is None or pipeline.wire_id != message.pipeline_id:
            pipeline_id = self._pipelines.of(message.pipeline_id)
            pipeline = self._pipelines.get(pipeline_id)
        if pipeline is None or pipeline_id is None or pipeline.request is None:
            return ()
        match message.type:
            case MessageType.PIPELINE_INPUT:
                return pipeline.take_input(InputArrived(pipeline_id, value))
            case MessageType.END_OF_PIPELINE_INPUT:
                return pipeline.take_input(InputEnded(pipeline_id))
            case MessageType.PIPELINE_HOST_RESPONSE:
                answer = requests.host_response(value)
                return pipeline.take_answer(
                    HostAnswered(pipeline_id, answer.call_id, answer.value, answer.error)
                )
        return ()

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
                self._emit(MessageType.PROGRESS_RECORD, payloads.PREPARING, pipeline_id)
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
            self._say(pipeline_id, MessageType.PIPELINE_STATE, lambda: payload)
        return self._start_waiting()

    def _close(self) -> None:
        """End the session; who has a pool is told."""
        self._stage = _Stage.CLOSED
        if self._is_open and not self._is_closed:
            self._is_closed = True
            self._emit(MessageType.RUNSPACEPOOL_STATE, payloads.CLOSING)
            self._emit(MessageType.RUNSPACEPOOL_STATE, payloads.CLOSED)
