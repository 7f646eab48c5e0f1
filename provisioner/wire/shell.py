"""The server's shells: a state machine without a socket and without a clock.

A shell is what a client gets by Create: a process on the node that lives until Delete, until nobody has asked
for it for its idle time-out, or until the node reboots. It is not tied to a connection. A client that loses the
network comes back on a new one and goes on, and output waits for it in the meantime.

A shell has one stream of its own and one per command. Output is put into a stream when it arises and is fetched
by Receive: the server never speaks first. Receive therefore is a long poll. When there is nothing to fetch it
waits, and one of five things ends it:

* output comes: it is answered with as much of it as fits the client's envelope;
* OperationTimeout passes: fault 2150858793, upon which the client asks again, for ever;
* the command or the shell is removed: fault 995;
* another Receive for the same stream comes (the client has reconnected): the older one gets fault 995;
* its connection breaks: it is forgotten, and what it would have fetched stays in the stream.

States of a shell and what each message does:

    ==============  =======================================  ====================================
    message         Connected                                Disconnected
    ==============  =======================================  ====================================
    Command, Send   given to the contents                    fault: disconnected
    Signal          given to the contents                    fault: disconnected
    Receive         answered, or waits                       fault: disconnected
    Disconnect      -> Disconnected; waiting Receives end    stays
    Reconnect       stays                                    -> Connected
    Connect         -> Connected (of the new client)         -> Connected (of the new client)
    Delete          gone                                     gone
    ==============  =======================================  ====================================

A command is there from Command until terminate is signalled or its last output has been fetched together with
``CommandState/Done``; the last message of a PowerShell pipeline and Done travel in the same response. After that
its id means nothing any more.

What a shell contains (a runspace pool) is behind ``Contents``. Data goes in, effects come out: each request is
named by a ticket of the caller's choice, and is finished by exactly one ``Respond`` or ``Refuse`` with that
ticket, either at once or after an ``Await``. ``Happened`` hands on what the contents want to have done. Whatever
the contents produce afterwards is moved to the streams by ``pump``.

Times are seconds of a clock that the caller owns and that never goes back.

Source: MS-WSMV 3.1.4; facts: wire, sections 4.2 to 4.5.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

from provisioner.wire import faults, shell_messages
from provisioner.wire import namespaces as ns
from provisioner.wire.envelope import Request, parse_duration
from provisioner.wire.settings import ServiceSettings


class Chunk(Protocol):
    """Output on its way, cut as envelopes allow."""

    ends_response: bool

    @property
    def is_sent(self) -> bool:
        """Whether nothing is left of it."""
        ...

    def next_size(self) -> int:
        """Bytes of the next piece if nothing but the usual limit cuts it."""
        ...

    def take(self, limit: int) -> bytes:
        """Cut the next piece, of at most ``limit`` bytes."""
        ...


class Contents(Protocol):
    """What a shell contains. Command ids are the pipelines' ids; None is the shell's own stream."""

    input_streams: str
    output_streams: str

    @property
    def is_closed(self) -> bool:
        """Whether it ended by itself; its last words can still be fetched."""
        ...

    def create(self, creation: bytes) -> None:
        """Take ``creationXml``; raises WSManFault."""
        ...

    def connect(self, data: bytes) -> bytes:
        """Take ``connectXml`` and return ``connectResponseXml``; raises WSManFault."""
        ...

    def command(self, command_id: uuid.UUID, arguments: bytes) -> Sequence[Any]:
        """Begin a command; returns what the caller has to do."""
        ...

    def receive(self, command_id: uuid.UUID | None, data: bytes) -> Sequence[Any]:
        """Take input; returns what the caller has to do."""
        ...

    def signal(self, command_id: uuid.UUID, *, forget: bool) -> Sequence[Any]:
        """Stop a command, and with ``forget`` remove it; returns what the caller has to do."""
        ...

    def outgoing(self) -> Iterable[tuple[uuid.UUID | None, Chunk]]:
        """Hand over new output."""
        ...

    def is_finished(self, command_id: uuid.UUID) -> bool:
        """Tell whether nothing more comes from a command."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the account as Windows shows it, and the client's address."""

    user: str
    address: str


@dataclass(frozen=True, slots=True)
class Respond:
    """Answer the request ``ticket``: the last word of the action's namespace and verb, and the body."""

    ticket: int
    action: str
    body: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer the request ``ticket`` with a fault."""

    ticket: int
    fault: faults.WSManFault


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing to say yet: call ``expire`` after ``timeout_s``, or ``abandon`` when the connection is gone."""

    ticket: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Happened:
    """The contents of a shell want something done."""

    shell_id: uuid.UUID
    event: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """A shell is gone; whatever runs in it is to be stopped."""

    shell_id: uuid.UUID


Effect: TypeAlias = Respond | Refuse | Await | Happened | Ended


class _State(Enum):
    CONNECTED = "Connected"
    DISCONNECTED = "Disconnected"


@dataclass(slots=True)
class _Waiting:
    ticket: int
    max_envelope_bytes: int


@dataclass(slots=True)
class _Stream:
    queue: deque[Chunk] = field(default_factory=deque)
    waiting: _Waiting | None = None


@dataclass(slots=True)
class _Shell:
    shell_id: uuid.UUID
    resource_uri: str
    caller: Caller
    contents: Contents
    process_id: int
    created_at: float
    used_at: float
    idle_timeout_s: float
    state: _State = _State.CONNECTED
    streams: dict[uuid.UUID | None, _Stream] = field(default_factory=lambda: {None: _Stream()})


#: What one Receive response needs besides its streams, and what one stream needs besides its text.
_RESPONSE_OVERHEAD_BYTES: Final = 1700
_STREAM_OVERHEAD_BYTES: Final = 100
_MINIMUM_IDLE_TIMEOUT_S: Final = 60.0
_FIRST_PROCESS_ID: Final = 2612


def _guid(value: uuid.UUID) -> str:
    return str(value).upper()


class Shells:
    """All shells of one node.

    ``new_contents`` makes the contents for a resource URI, or None when there is no such endpoint.
    ``new_id`` gives ids to shells and commands whose client names none.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        new_contents: Callable[[str], Contents | None],
        new_id: Callable[[], uuid.UUID],
    ) -> None:
        self._settings = settings
        self._new_contents = new_contents
        self._new_id = new_id
        self._shells: dict[uuid.UUID, _Shell] = {}
        self._waiting: dict[int, tuple[_Shell, uuid.UUID | None]] = {}
        self._next_process_id = _FIRST_PROCESS_ID

    def __len__(self) -> int:
        return len(self._shells)

    def contents(self, shell_id: uuid.UUID) -> Contents | None:
        """Return what a shell contains; None when it is gone."""
        shell = self._shells.get(shell_id)
        return shell.contents if shell else None

    def handle(self, ticket: int, request: Request, caller: Caller, now: float) -> list[Effect]:
        """Take one request on shells."""
        try:
            return self._dispatch(ticket, request, caller, now)
        except faults.WSManFault as fault:
            return [Refuse(ticket, fault)]

    def pump(self, shell_id: uuid.UUID) -> list[Effect]:
        """Move what the contents produced into the streams, and answer the Receives that wait for it."""
        shell = self._shells.get(shell_id)
        if shell is None:
            return []
        touched: set[uuid.UUID | None] = set()
        for command_id, chunk in shell.contents.outgoing():
            stream = shell.streams.get(command_id)
            if stream is not None:
                stream.queue.append(chunk)
                touched.add(command_id)
        effects: list[Effect] = []
        for command_id in touched:
            stream = shell.streams[command_id]
            if stream.waiting is not None:
                waiting, stream.waiting = stream.waiting, None
                self._waiting.pop(waiting.ticket, None)
                effects.append(self._received(shell, command_id, waiting))
        return effects

    def expire(self, ticket: int) -> list[Effect]:
        """The time of a waiting request is over."""
        return [Refuse(ticket, faults.timed_out())] if self.abandon(ticket) else []

    def abandon(self, ticket: int) -> bool:
        """Forget a waiting request whose connection is gone; tells whether it still waited."""
        found = self._waiting.pop(ticket, None)
        if found is None:
            return False
        shell, command_id = found
        shell.streams[command_id].waiting = None
        return True

    def sweep(self, now: float) -> list[Effect]:
        """Remove the shells that nobody has used for their idle time-out."""
        idle = [
            shell
            for shell in self._shells.values()
            if now - shell.used_at > shell.idle_timeout_s
            and all(stream.waiting is None for stream in shell.streams.values())
        ]
        return [effect for shell in idle for effect in self._remove(shell)]

    def remove_all(self) -> list[Effect]:
        """Remove every shell, as a reboot does."""
        return [effect for shell in list(self._shells.values()) for effect in self._remove(shell)]

    # -- requests ------------------------------------------------------------------------------------------

    def _dispatch(self, ticket: int, request: Request, caller: Caller, now: float) -> list[Effect]:
        match request.action:
            case "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create":
                return self._create(ticket, request, caller, now)
            case "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate":
                return self._enumerate(ticket, request, now)
        shell = self._find(request)
        shell.used_at = now
        if request.action == f"{ns.TRANSFER}/Get":
            body = shell_messages.shell_element(self._view(shell, now), is_full=True)
            return [Respond(ticket, f"{ns.TRANSFER}/GetResponse", body)]
        if request.action == f"{ns.TRANSFER}/Delete":
            return [*self._remove(shell), Respond(ticket, f"{ns.TRANSFER}/DeleteResponse", "")]
        return self._operate(ticket, request, shell, caller)

    def _operate(self, ticket: int, request: Request, shell: _Shell, caller: Caller) -> list[Effect]:
        verb = request.verb if request.action.startswith(ns.SHELL + "/") else ""
        match verb:
            case "Disconnect":
                return self._disconnect(ticket, request, shell)
            case "Reconnect":
                shell.state = _State.CONNECTED
                return [Respond(ticket, f"{ns.SHELL}/ReconnectResponse", "")]
            case "Connect":
                return self._connect(ticket, request, shell, caller)
            case "Command" | "Receive" | "Send" | "Signal" if shell.state is _State.DISCONNECTED:
                raise faults.disconnected()
            case "Command":
                return self._command(ticket, request, shell)
            case "Receive":
                return self._receive(ticket, request, shell)
            case "Send":
                return self._send(ticket, request, shell)
            case "Signal":
                return self._signal(ticket, request, shell)
        raise faults.action_not_supported(request.action)

    def _find(self, request: Request) -> _Shell:
        text = request.selector("ShellId")
        try:
            shell = self._shells.get(uuid.UUID(text)) if text else None
        except ValueError:
            shell = None
        if shell is None:
            raise faults.no_such_shell()
        return shell

    def _create(self, ticket: int, request: Request, caller: Caller, now: float) -> list[Effect]:
        element = request.payload("Shell")
        contents = self._new_contents(request.resource_uri)
        if contents is None:
            raise faults.no_such_resource(request.resource_uri)
        shell_id = shell_messages.read_id(element, "ShellId") or self._new_id()
        if shell_id in self._shells:
            raise faults.invalid_parameter("There is a shell with this ShellId already.")
        contents.create(shell_messages.creation_data(element))
        shell = _Shell(
            shell_id=shell_id,
            resource_uri=request.resource_uri,
            caller=caller,
            contents=contents,
            process_id=self._next_process_id,
            created_at=now,
            used_at=now,
            idle_timeout_s=self._idle_timeout(shell_messages.element_text(element, "IdleTimeOut")),
        )
        self._next_process_id += 4
        self._shells[shell_id] = shell
        body = shell_messages.created(self._view(shell, now), request.to)
        return [Respond(ticket, f"{ns.TRANSFER}/CreateResponse", body), *self.pump(shell_id)]

    def _idle_timeout(self, text: str) -> float:
        if not text:
            return self._settings.idle_timeout_s
        seconds = parse_duration(text)
        if seconds is None or seconds < _MINIMUM_IDLE_TIMEOUT_S:
            raise faults.invalid_parameter("IdleTimeOut is below the minimum of 60 seconds.")
        return seconds

    def _enumerate(self, ticket: int, request: Request, now: float) -> list[Effect]:
        element = request.payload("Enumerate", ns.ENUMERATION)
        if request.resource_uri == ns.SHELLS_URI:
            items = [
                shell_messages.shell_element(self._view(shell, now), is_full=True)
                for shell in self._shells.values()
            ]
        elif request.resource_uri == f"{ns.SHELLS_URI}/Command":
            items = self._enumerate_commands(shell_messages.filter_selectors(element))
        else:
            raise faults.no_such_resource(request.resource_uri)
        return [Respond(ticket, f"{ns.ENUMERATION}/EnumerateResponse", shell_messages.enumerated(items))]

    def _enumerate_commands(self, selectors: Any) -> list[str]:
        wanted = next(
            (value.upper() for name, value in selectors.items() if name.casefold() == "shellid"), None
        )
        return [
            shell_messages.command_element(_guid(shell.shell_id), _guid(command_id), shell.state.value)
            for shell in self._shells.values()
            if wanted in (None, _guid(shell.shell_id))
            for command_id in shell.streams
            if command_id is not None
        ]

    def _command(self, ticket: int, request: Request, shell: _Shell) -> list[Effect]:
        element = request.payload("CommandLine")
        command_id = shell_messages.read_id(element, "CommandId") or self._new_id()
        if command_id in shell.streams:
            raise faults.invalid_parameter("There is a command with this CommandId already.")
        if shell.contents.is_closed:
            raise faults.no_such_shell()
        arguments = shell_messages.arguments(element)
        shell.streams[command_id] = _Stream()
        events = shell.contents.command(command_id, arguments)
        body = shell_messages.command_created(_guid(command_id))
        return [
            Respond(ticket, f"{ns.SHELL}/CommandResponse", body),
            *self._happened(shell, events),
            *self.pump(shell.shell_id),
        ]

    def _send(self, ticket: int, request: Request, shell: _Shell) -> list[Effect]:
        events: list[Any] = []
        for element in shell_messages.stream_elements(request.payload("Send")):
            command_id = shell_messages.read_id(element, "CommandId")
            if command_id not in shell.streams:
                raise faults.no_such_command()
            events += shell.contents.receive(command_id, shell_messages.decode(element))
        return [
            Respond(ticket, f"{ns.SHELL}/SendResponse", "<rsp:SendResponse/>"),
            *self._happened(shell, events),
            *self.pump(shell.shell_id),
        ]

    def _signal(self, ticket: int, request: Request, shell: _Shell) -> list[Effect]:
        element = request.payload("Signal")
        command_id = shell_messages.read_id(element, "CommandId")
        code = shell_messages.element_text(element, "Code").casefold()
        effects: list[Effect] = [Respond(ticket, f"{ns.SHELL}/SignalResponse", "<rsp:SignalResponse/>")]
        if command_id is None or command_id not in shell.streams:
            return effects  # what is gone needs no signal; the real server agrees
        match code:
            case ns.SIGNAL_TERMINATE:
                effects += self._happened(shell, shell.contents.signal(command_id, forget=True))
                effects += self._end_waiting(shell, command_id, faults.aborted())
                del shell.streams[command_id]
            case ns.SIGNAL_CTRL_C | ns.SIGNAL_POWERSHELL_STOP | ns.SIGNAL_POWERSHELL_STOP_TOO:
                effects += self._happened(shell, shell.contents.signal(command_id, forget=False))
            case _:
                raise faults.invalid_parameter("There is no such signal.")
        return [*effects, *self.pump(shell.shell_id)]

    def _receive(self, ticket: int, request: Request, shell: _Shell) -> list[Effect]:
        wanted = shell_messages.desired_stream(request.payload("Receive"))
        command_id = shell_messages.read_id(wanted, "CommandId")
        # What the contents said since the last pump comes first: a pipeline that has finished must not be called
        # done while its last message is still with it.
        effects = self.pump(shell.shell_id)
        stream = shell.streams.get(command_id)
        if stream is None:
            raise faults.no_such_command()
        effects += self._end_waiting(shell, command_id, faults.aborted())
        waiting = _Waiting(ticket, request.max_envelope_bytes)
        if stream.queue or self._is_done(shell, command_id, stream):
            return [*effects, self._received(shell, command_id, waiting)]
        if shell.contents.is_closed:
            return [*effects, *self._remove(shell), Refuse(ticket, faults.aborted())]
        stream.waiting = waiting
        self._waiting[ticket] = (shell, command_id)
        return [*effects, Await(ticket, min(request.operation_timeout_s, self._settings.max_timeout_s))]

    def _disconnect(self, ticket: int, request: Request, shell: _Shell) -> list[Effect]:
        idle = shell_messages.element_text(request.payload("Disconnect"), "IdleTimeOut")
        if idle:
            shell.idle_timeout_s = self._idle_timeout(idle)
        shell.state = _State.DISCONNECTED
        effects: list[Effect] = [Respond(ticket, f"{ns.SHELL}/DisconnectResponse", "")]
        for command_id in shell.streams:
            effects += self._end_waiting(shell, command_id, faults.disconnected())
        return effects

    def _connect(self, ticket: int, request: Request, shell: _Shell, caller: Caller) -> list[Effect]:
        element = request.payload("Connect")
        command_id = shell_messages.read_id(element, "CommandId")
        if command_id is None:
            response = shell.contents.connect(shell_messages.connect_data(element))
        elif command_id in shell.streams:
            response = b""
        else:
            raise faults.no_such_command()
        shell.state = _State.CONNECTED
        shell.caller = caller
        streams = (shell.contents.input_streams, shell.contents.output_streams)
        body = shell_messages.connected(*streams, response)
        return [Respond(ticket, f"{ns.SHELL}/ConnectResponse", body), *self.pump(shell.shell_id)]

    # -- inside --------------------------------------------------------------------------------------------

    @staticmethod
    def _happened(shell: _Shell, events: Iterable[Any]) -> list[Effect]:
        return [Happened(shell.shell_id, event) for event in events]

    @staticmethod
    def _is_done(shell: _Shell, command_id: uuid.UUID | None, stream: _Stream) -> bool:
        return command_id is not None and not stream.queue and shell.contents.is_finished(command_id)

    def _received(self, shell: _Shell, command_id: uuid.UUID | None, waiting: _Waiting) -> Respond:
        """Take from a stream what one response has room for."""
        stream = shell.streams[command_id]
        pieces: list[bytes] = []
        room = waiting.max_envelope_bytes - _RESPONSE_OVERHEAD_BYTES
        while stream.queue:
            chunk = stream.queue[0]
            limit = (room - _STREAM_OVERHEAD_BYTES) * 3 // 4 - 3
            if pieces and chunk.next_size() > limit:
                break
            piece = chunk.take(limit)
            pieces.append(piece)
            room -= _STREAM_OVERHEAD_BYTES + (len(piece) + 2) // 3 * 4
            if chunk.is_sent:
                stream.queue.popleft()
                if chunk.ends_response:
                    break
        exit_code = None
        if self._is_done(shell, command_id, stream):
            exit_code = 0
            del shell.streams[command_id]
            shell.contents.signal(self._known(command_id), forget=True)
        command = _guid(command_id) if command_id else None
        body = shell_messages.received(pieces, command, exit_code)
        return Respond(waiting.ticket, f"{ns.SHELL}/ReceiveResponse", body)

    @staticmethod
    def _known(command_id: uuid.UUID | None) -> uuid.UUID:
        assert command_id is not None
        return command_id

    def _end_waiting(
        self, shell: _Shell, command_id: uuid.UUID | None, fault: faults.WSManFault
    ) -> list[Effect]:
        stream = shell.streams[command_id]
        if stream.waiting is None:
            return []
        ticket = stream.waiting.ticket
        self.abandon(ticket)
        return [Refuse(ticket, fault)]

    def _remove(self, shell: _Shell) -> list[Effect]:
        effects: list[Effect] = []
        for command_id in shell.streams:
            effects += self._end_waiting(shell, command_id, faults.aborted())
        self._shells.pop(shell.shell_id, None)
        return [*effects, Ended(shell.shell_id)]

    def _view(self, shell: _Shell, now: float) -> shell_messages.ShellView:
        return shell_messages.ShellView(
            shell_id=_guid(shell.shell_id),
            resource_uri=shell.resource_uri,
            owner=shell.caller.user,
            client_address=shell.caller.address,
            process_id=shell.process_id,
            idle_timeout_s=shell.idle_timeout_s,
            input_streams=shell.contents.input_streams,
            output_streams=shell.contents.output_streams,
            state=shell.state.value,
            run_time_s=now - shell.created_at,
            inactivity_s=now - shell.used_at,
        )
