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

A shell is its user's own: another is denied access, and counts the quotas for himself.

What a shell contains (a runspace pool, or processes) is behind ``Contents``. Data goes in, effects come out: each
request is named by a ticket of the caller's choice, and is finished by exactly one ``Respond`` or ``Refuse`` with
that ticket, either at once or after an ``Await``. ``Happened`` hands on what the contents want to have done.
Whatever the contents produce afterwards is moved to the streams by ``pump``.

Times are seconds of a clock that the caller owns and that never goes back.

Source: MS-WSMV 3.1.4; facts: wire, sections 4.2 to 4.5.
"""

from __future__ import annotations

import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from provisioner.wire import faults, shell_messages
from provisioner.wire import namespaces as ns
from provisioner.wire.contents import (
    Await,
    Caller,
    Chunk,
    Contents,
    Effect,
    Ended,
    Happened,
    Opening,
    Refuse,
    Respond,
)
from provisioner.wire.envelope import Request, parse_duration
from provisioner.wire.settings import ServiceSettings


class _State(Enum):
    CONNECTED = "Connected"
    DISCONNECTED = "Disconnected"


@dataclass(slots=True)
class _Waiting:
    ticket: int
    max_envelope_bytes: int
    wanted: tuple[str, ...]


@dataclass(slots=True)
class _Stream:
    """Output of one command (or of the shell itself), chunk by chunk with the stream it belongs to.

    ``command_line`` is what the client called the command: nothing, for a pipeline.
    """

    command_line: str = ""
    queue: deque[tuple[str, Chunk]] = field(default_factory=deque)
    waiting: _Waiting | None = None

    def has_for(self, wanted: tuple[str, ...]) -> bool:
        return any(name in wanted for name, _ in self.queue)


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
    opening: Opening
    state: _State = _State.CONNECTED
    streams: dict[uuid.UUID | None, _Stream] = field(default_factory=lambda: {None: _Stream()})
    #: Commands that ended and that no client has signalled yet: they count as operations, as on Windows.
    ended: set[uuid.UUID] = field(default_factory=set)

    @property
    def operations(self) -> int:
        commands = len(self.streams) - 1
        pending = sum(stream.waiting is not None for stream in self.streams.values())
        return commands + pending + len(self.ended)


#: What one Receive response needs besides its streams, and what one stream needs besides its text.
_RESPONSE_OVERHEAD_BYTES: Final = 2100
_STREAM_OVERHEAD_BYTES: Final = 100
#: One response with this much data takes no more, whatever the client has room for (a recorded large file).
_RESPONSE_DATA_BYTES: Final = 131072
_MINIMUM_IDLE_TIMEOUT_S: Final = 60.0
_FIRST_PROCESS_ID: Final = 2612
_SIGNALS: Final = frozenset(
    {
        ns.SIGNAL_TERMINATE,
        ns.SIGNAL_CTRL_C,
        ns.SIGNAL_CTRL_BREAK,
        ns.SIGNAL_POWERSHELL_STOP,
        ns.SIGNAL_POWERSHELL_STOP_TOO,
    }
)


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
        self._before_restart: frozenset[uuid.UUID] = frozenset()
        #: Quotas that others have used up, with the number that the refusal names: shells, users, operations,
        #: processes.
        self.used_up: Mapping[str, int] = {}

    def __len__(self) -> int:
        return len(self._shells)

    def caller(self, shell_id: uuid.UUID) -> Caller | None:
        """Return who uses a shell; None when it is gone."""
        shell = self._shells.get(shell_id)
        return shell.caller if shell is not None else None

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
        for command_id, name, chunk in shell.contents.outgoing():
            stream = shell.streams.get(command_id)
            if stream is not None:
                stream.queue.append((name, chunk))
                touched.add(command_id)
        if shell.contents.is_classic:  # a process may end without a last word
            touched |= {key for key in shell.streams if key and shell.contents.exit_code(key) is not None}
        effects: list[Effect] = []
        for command_id in touched:
            stream = shell.streams[command_id]
            waiting = stream.waiting
            if waiting is not None and self._has_answer(shell, command_id, waiting):
                stream.waiting = None
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

    def restart(self) -> list[Effect]:
        """Remove every shell, as a restart of the service does; who still uses one is told so."""
        self._before_restart = frozenset(self._shells)
        return self.remove_all()

    # -- requests ------------------------------------------------------------------------------------------

    def _dispatch(self, ticket: int, request: Request, caller: Caller, now: float) -> list[Effect]:
        match request.action:
            case "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create":
                return self._create(ticket, request, caller, now)
            case "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate":
                return self._enumerate(ticket, request, now)
        shell = self._find(request, caller)
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

    def _find(self, request: Request, caller: Caller) -> _Shell:
        text = request.selector("ShellId")
        try:
            shell_id = uuid.UUID(text) if text else None
        except ValueError:
            shell_id = None
        shell = self._shells.get(shell_id) if shell_id else None
        if shell is None:
            raise faults.session_unusable() if shell_id in self._before_restart else faults.no_such_shell()
        if not caller.is_same_user(shell.caller):
            raise faults.access_denied()
        return shell

    def _create(self, ticket: int, request: Request, caller: Caller, now: float) -> list[Effect]:
        element = request.payload("Shell")
        contents = self._new_contents(request.resource_uri)
        if contents is None:
            raise faults.no_such_resource(request.resource_uri)
        shell_id = shell_messages.read_id(element, "ShellId") or self._new_id()
        if shell_id in self._shells:
            raise faults.invalid_parameter("There is a shell with this ShellId already.")
        idle_timeout_s = self._idle_timeout(shell_messages.element_text(element, "IdleTimeOut"))
        self._check_quotas(caller)
        opening = shell_messages.opening(element, request.options)
        contents.create(opening)
        shell = _Shell(
            shell_id=shell_id,
            resource_uri=request.resource_uri,
            caller=caller,
            contents=contents,
            process_id=self._next_process_id,
            created_at=now,
            used_at=now,
            idle_timeout_s=idle_timeout_s,
            opening=opening,
        )
        self._next_process_id += 4
        self._shells[shell_id] = shell
        body = shell_messages.created(self._view(shell, now), request.to)
        return [Respond(ticket, f"{ns.TRANSFER}/CreateResponse", body), *self.pump(shell_id)]

    def _idle_timeout(self, text: str) -> float:
        if not text:
            return self._settings.idle_timeout_s
        seconds = parse_duration(text)
        if seconds is None:
            raise faults.schema_violation("IdleTimeOut is no duration.")
        if not _MINIMUM_IDLE_TIMEOUT_S <= seconds <= self._settings.max_idle_timeout_s:
            raise faults.idle_timeout_out_of_bounds(
                seconds, _MINIMUM_IDLE_TIMEOUT_S, self._settings.max_idle_timeout_s
            )
        return seconds

    def _check_quotas(self, caller: Caller) -> None:
        """Refuse one shell more of a user who has, or of a node that serves, all that is allowed."""
        if "shells" in self.used_up:
            raise faults.too_many_shells(self.used_up["shells"])
        if "users" in self.used_up:
            raise faults.too_many_users()
        quotas = self._settings.quotas
        owners = Counter(shell.caller.user.casefold() for shell in self._shells.values())
        user = caller.user.casefold()
        if owners[user] >= quotas.max_shells_per_user:
            raise faults.too_many_shells(quotas.max_shells_per_user)
        if user not in owners and len(owners) >= quotas.max_concurrent_users:
            raise faults.too_many_users()
        self._check_operations(caller)

    def _check_operations(self, caller: Caller) -> None:
        if "operations" in self.used_up:
            raise faults.too_many_operations(self.used_up["operations"])
        allowed = self._settings.quotas.max_operations_per_user
        # Nobody can have that many without as many shells and commands: do not count for the usual request.
        mine = [shell for shell in self._shells.values() if caller.is_same_user(shell.caller)]
        if sum(1 + shell.operations for shell in mine) >= allowed:
            raise faults.too_many_operations(allowed)

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
            shell_messages.command_element(_guid(command_id), stream.command_line)
            for shell in self._shells.values()
            if wanted in (None, _guid(shell.shell_id))
            for command_id, stream in shell.streams.items()
            if command_id is not None
        ]

    def _command(self, ticket: int, request: Request, shell: _Shell) -> list[Effect]:
        element = request.payload("CommandLine")
        command_id = shell_messages.read_id(element, "CommandId") or self._new_id()
        if command_id in shell.streams:
            raise faults.invalid_parameter("There is a command with this CommandId already.")
        if shell.contents.is_closed:
            raise faults.no_such_shell()
        self._check_operations(shell.caller)
        if "processes" in self.used_up:
            raise faults.too_many_commands(self.used_up["processes"])
        allowed = self._settings.quotas.max_processes_per_shell
        if len(shell.streams) > allowed:
            raise faults.too_many_commands(allowed)
        start = shell_messages.command_start(element, request.options)
        events = shell.contents.command(command_id, start)
        shell.streams[command_id] = _Stream(start.text)
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
            events += shell.contents.receive(
                command_id,
                shell_messages.decode(element),
                stream=element.get("Name", ""),
                is_last=element.get("End", "").casefold() in {"true", "1"},
            )
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
        if code not in _SIGNALS:
            raise faults.invalid_parameter("There is no such signal.")
        if command_id is None or command_id not in shell.streams:
            shell.ended.discard(command_id or shell.shell_id)
            return effects  # what is gone needs no signal; the real server agrees
        if code == ns.SIGNAL_TERMINATE:
            effects += self._happened(shell, shell.contents.forget(command_id))
            effects += self._end_waiting(shell, command_id, faults.aborted())
            del shell.streams[command_id]
        else:
            effects += self._happened(shell, shell.contents.signal(command_id, code))
        return [*effects, *self.pump(shell.shell_id)]

    def _receive(self, ticket: int, request: Request, shell: _Shell) -> list[Effect]:
        wanted = shell_messages.desired_stream(request.payload("Receive"))
        command_id = shell_messages.read_id(wanted, "CommandId")
        names = tuple((wanted.text or "").split())
        if not names or not set(names) <= set(shell.contents.output_streams.split()):
            raise faults.invalid_parameter("DesiredStream names no stream of this shell.")
        if command_id is None and shell.contents.is_classic:
            raise faults.nothing_to_receive()
        # What the contents said since the last pump comes first: a pipeline that has finished must not be called
        # done while its last message is still with it.
        effects = self.pump(shell.shell_id)
        stream = shell.streams.get(command_id)
        if stream is None:
            raise faults.no_such_command()
        effects += self._end_waiting(shell, command_id, faults.aborted())
        waiting = _Waiting(ticket, request.max_envelope_bytes, names)
        if self._has_answer(shell, command_id, waiting):
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
            streams = (shell.contents.input_streams, shell.contents.output_streams)
            body = shell_messages.connected(*streams, response)
        elif command_id in shell.streams:
            body = shell_messages.COMMAND_CONNECTED
        else:
            raise faults.no_such_command()
        shell.state = _State.CONNECTED
        shell.caller = caller
        return [Respond(ticket, f"{ns.SHELL}/ConnectResponse", body), *self.pump(shell.shell_id)]

    # -- inside --------------------------------------------------------------------------------------------

    @staticmethod
    def _happened(shell: _Shell, events: Iterable[Any]) -> list[Effect]:
        return [Happened(shell.shell_id, event) for event in events]

    @staticmethod
    def _exit_code(shell: _Shell, command_id: uuid.UUID | None, waiting: _Waiting) -> int | None:
        """Return the exit code of a command that is over and of which the client has all it asked for."""
        if command_id is None or shell.streams[command_id].has_for(waiting.wanted):
            return None
        return shell.contents.exit_code(command_id)

    def _has_answer(self, shell: _Shell, command_id: uuid.UUID | None, waiting: _Waiting) -> bool:
        is_there = shell.streams[command_id].has_for(waiting.wanted)
        return is_there or self._exit_code(shell, command_id, waiting) is not None

    def _received(self, shell: _Shell, command_id: uuid.UUID | None, waiting: _Waiting) -> Respond:
        """Take from a stream what one response has room for."""
        pieces, awaits_answer = self._take(shell.streams[command_id], waiting)
        exit_code = self._exit_code(shell, command_id, waiting)
        if exit_code is not None:
            del shell.streams[command_id]
            shell.ended.add(self._known(command_id))
            shell.contents.forget(self._known(command_id))
        command = _guid(command_id) if command_id else None
        ends: tuple[str, ...] = ()
        state = "Running" if shell.contents.is_classic else "Pending" if awaits_answer else ""
        if exit_code is not None:
            ends, state = waiting.wanted if shell.contents.is_classic else (), "Done"
        body = shell_messages.received(pieces, command, shell_messages.Progress(state, exit_code, ends))
        return Respond(waiting.ticket, f"{ns.SHELL}/ReceiveResponse", body)

    @staticmethod
    def _take(stream: _Stream, waiting: _Waiting) -> tuple[list[tuple[str, bytes]], bool]:
        """Take what fits; tells besides whether the command waits for the client's answer to it."""
        pieces: list[tuple[str, bytes]] = []
        size, awaits_answer = 0, False
        kept: deque[tuple[str, Chunk]] = deque()
        room = waiting.max_envelope_bytes - _RESPONSE_OVERHEAD_BYTES
        while stream.queue and size < _RESPONSE_DATA_BYTES:
            name, chunk = stream.queue[0]
            if name not in waiting.wanted:
                kept.append(stream.queue.popleft())
                continue
            limit = (room - _STREAM_OVERHEAD_BYTES) * 3 // 4 - 3
            if pieces and chunk.next_size() > limit:
                break
            piece = chunk.take(limit)
            pieces.append((name, piece))
            size += len(piece)
            room -= _STREAM_OVERHEAD_BYTES + (len(piece) + 2) // 3 * 4
            if chunk.is_sent:
                stream.queue.popleft()
                awaits_answer = chunk.awaits_answer
                if chunk.ends_response:
                    break
        stream.queue.extendleft(reversed(kept))
        return pieces, awaits_answer

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
            is_classic=shell.contents.is_classic,
            environment=shell.opening.environment,
            working_directory=shell.opening.working_directory,
        )
