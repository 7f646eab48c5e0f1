"""The WS-Management service of one node: envelopes in, envelopes out.

Puts the rooms of this package together: size limit, parsing, the resources (shells, winrm/config), rendering.
Sans-I/O like the rest; ids and the time come from the caller.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

from provisioner.wire import faults, identify
from provisioner.wire import namespaces as ns
from provisioner.wire.cim.enumerations import CimEffect, CimRequested, CimRequests, Result
from provisioner.wire.cim.requests import is_cim
from provisioner.wire.contents import (
    Await,
    Caller,
    CommandStart,
    Contents,
    Effect,
    Ended,
    Happened,
    Opening,
    Refuse,
    Respond,
)
from provisioner.wire.envelope import (
    MalformedEnvelope,
    Request,
    build_response,
    find_host,
    find_message_id,
    parse_document,
    parse_request,
)
from provisioner.wire.fragments import Outgoing
from provisioner.wire.psrp import Event, RunspacePool
from provisioner.wire.settings import ServiceSettings, config_body, listener_body
from provisioner.wire.shell import Shells
from provisioner.wire.shell_messages import decode_text, enumerated
from provisioner.wire.winrs import CommandShell, Programs


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP response to the request ``ticket``."""

    ticket: int
    status: HTTPStatus
    body: bytes


_AnyEffect: TypeAlias = Effect | CimEffect
Outcome: TypeAlias = Answer | Await | Happened | Ended | CimRequested


class RunspaceShell:
    """A runspace pool as the contents of a shell."""

    is_classic = False
    input_streams = RunspacePool.input_streams
    output_streams = RunspacePool.output_streams

    def __init__(self, build: str, endpoint: str) -> None:
        self.pool = RunspacePool(build, endpoint)

    @property
    def is_closed(self) -> bool:
        """Whether the pool closed itself."""
        return self.pool.is_closed

    def create(self, opening: Opening) -> None:
        """Open the pool."""
        self.pool.create(opening.creation)

    def connect(self, data: bytes) -> bytes:
        """Let another client take the pool over."""
        return self.pool.connect(data)

    def command(self, command_id: uuid.UUID, start: CommandStart) -> Sequence[Event]:
        """Begin a pipeline; its first fragments are the arguments."""
        return self.pool.command(command_id, b"".join(decode_text(text) for text in start.arguments))

    def receive(
        self, command_id: uuid.UUID | None, data: bytes, *, stream: str, is_last: bool
    ) -> Sequence[Event]:
        """Take fragments; whether the stream ends is no matter to PSRP."""
        del is_last
        return self.pool.receive(command_id, data, stream)

    def signal(self, command_id: uuid.UUID, code: str) -> Sequence[Event]:
        """Stop a pipeline, whichever way the client asks."""
        del code
        return self.pool.signal(command_id, forget=False)

    def forget(self, command_id: uuid.UUID) -> Sequence[Event]:
        """Remove a pipeline."""
        return self.pool.signal(command_id, forget=True)

    def outgoing(self) -> Iterator[tuple[uuid.UUID | None, str, Outgoing]]:
        """Hand over new messages; all travel on one stream."""
        return ((pipeline_id, "stdout", message) for pipeline_id, message in self.pool.outgoing())

    def exit_code(self, command_id: uuid.UUID) -> int | None:
        """Return 0 for a pipeline that is over."""
        return 0 if self.pool.is_finished(command_id) else None


class Service:
    """One node's service.

    ``build`` is its build of Windows (``20348.2227``); ``programs`` is what classic shells start, and where.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        build: str,
        new_id: Callable[[], uuid.UUID],
        programs: Programs | None = None,
    ) -> None:
        self._settings = settings
        self._build = build
        self._new_id = new_id
        self._programs = programs or Programs()
        self._shells = Shells(settings, self._new_contents, new_id)
        self._cim = CimRequests(settings, new_id)
        self._pending: dict[int, Request] = {}

    @property
    def shells_open(self) -> int:
        """Number of shells."""
        return len(self._shells)

    def caller(self, shell_id: uuid.UUID) -> Caller | None:
        """Return who uses a shell; None when it is gone."""
        return self._shells.caller(shell_id)

    def pool(self, shell_id: uuid.UUID) -> RunspacePool | None:
        """Return the runspace pool of a shell; None when it is gone."""
        contents = self._shells.contents(shell_id)
        return contents.pool if isinstance(contents, RunspaceShell) else None

    def command_shell(self, shell_id: uuid.UUID) -> CommandShell | None:
        """Return the classic shell of this id; None when it is gone."""
        contents = self._shells.contents(shell_id)
        return contents if isinstance(contents, CommandShell) else None

    def identify(self, ticket: int, data: bytes, *, is_authenticated: bool) -> Answer:
        """Answer an Identify; anything else is refused."""
        try:
            is_identify = identify.is_identify(parse_document(data))
        except MalformedEnvelope:
            is_identify = False
        if not is_identify:
            return Answer(ticket, HTTPStatus.BAD_REQUEST, b"")
        body = identify.identify_response(f"10.0.{self._build}", is_authenticated=is_authenticated)
        return Answer(ticket, HTTPStatus.OK, body)

    def handle(self, ticket: int, data: bytes, caller: Caller, now: float) -> list[Outcome]:
        """Take one request."""
        if len(data) > self._settings.max_envelope_bytes:
            return [Answer(ticket, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"")]
        try:
            request = parse_request(data)
        except MalformedEnvelope:
            return [self._unreadable(ticket, data)]
        except faults.WSManFault as fault:
            return [self._fault(ticket, fault, find_message_id(data), find_host(data))]
        self._pending[ticket] = request
        uri = request.resource_uri.partition("?")[0].rstrip("/")
        if not caller.may_use(uri):
            return self._render([Refuse(ticket, faults.access_denied())])
        if uri == ns.CONFIG_URI or uri.startswith(ns.CONFIG_URI + "/"):
            return self._render([self._config(ticket, request, uri)])
        if is_cim(uri):
            return self._render(self._on_cim(ticket, request, caller, now))
        return self._render(self._shells.handle(ticket, request, caller, now))

    def cim_answered(self, ticket: int, result: Result, now: float) -> list[Outcome]:
        """What ``CimRequested`` asked for was carried out."""
        return self._render(self._cim.answered(ticket, result, now))

    def failed(self, ticket: int, data: bytes) -> Answer:
        """Answer a request over which our own code failed."""
        self.abandon(ticket)
        return self._fault(ticket, faults.internal_error(), find_message_id(data), find_host(data))

    def pump(self, shell_id: uuid.UUID) -> list[Outcome]:
        """Answer what waits for output of a shell."""
        return self._render(self._shells.pump(shell_id))

    def expire(self, ticket: int) -> list[Outcome]:
        """The time of a waiting request is over."""
        return self._render([*self._shells.expire(ticket), *self._cim.expire(ticket)])

    def abandon(self, ticket: int) -> None:
        """The connection of a waiting request is gone."""
        self._shells.abandon(ticket)
        self._cim.abandon(ticket)
        self._pending.pop(ticket, None)

    def sweep(self, now: float) -> list[Outcome]:
        """Remove idle shells."""
        return self._render(self._shells.sweep(now))

    def remove_all(self) -> list[Outcome]:
        """Remove every shell and enumeration."""
        self._cim.forget_all()
        return self._render(self._shells.remove_all())

    def restart(self) -> list[Outcome]:
        """Remove every shell and enumeration, as a restart of the service does."""
        self._cim.forget_all()
        return self._render(self._shells.restart())

    def use_up(self, quotas: Mapping[str, int]) -> None:
        """Have others use up these quotas, and no others; see ``Shells.used_up``."""
        self._shells.used_up = dict(quotas)

    def _new_contents(self, resource_uri: str) -> Contents | None:
        if resource_uri.startswith(ns.POWERSHELL_URI):
            name = resource_uri.removeprefix(ns.POWERSHELL_URI).rstrip("/")
            known = self._settings.endpoints
            if known is not None and name.casefold() not in known:
                raise faults.no_such_endpoint(resource_uri)
            return RunspaceShell(self._build, name)
        return CommandShell(self._programs) if resource_uri.rstrip("/") == ns.CMD_URI else None

    def _config(self, ticket: int, request: Request, uri: str) -> Effect:
        part = uri[len(ns.CONFIG_URI) + 1 :].casefold()
        if request.action == f"{ns.TRANSFER}/Get" and (body := config_body(self._settings, part)):
            return Respond(ticket, f"{ns.TRANSFER}/GetResponse", body)
        if request.action == f"{ns.ENUMERATION}/Enumerate" and part == "listener":
            body = enumerated([listener_body(request.to)])
            return Respond(ticket, f"{ns.ENUMERATION}/EnumerateResponse", body)
        known = config_body(self._settings, part) or part == "listener"
        fault = faults.action_not_supported(request.action) if known else faults.no_such_resource(uri)
        return Refuse(ticket, fault)

    def _on_cim(self, ticket: int, request: Request, caller: Caller, now: float) -> Sequence[_AnyEffect]:
        try:
            return self._cim.handle(ticket, request, caller, now)
        except faults.WSManFault as fault:
            return [Refuse(ticket, fault)]

    def _unreadable(self, ticket: int, data: bytes) -> Answer:
        try:
            is_identify = identify.is_identify(parse_document(data))
        except MalformedEnvelope:
            is_identify = False
        if is_identify:
            return self.identify(ticket, data, is_authenticated=True)
        return Answer(ticket, HTTPStatus.BAD_REQUEST, b"")

    def _render(self, effects: Sequence[_AnyEffect]) -> list[Outcome]:
        return [self._render_one(effect) for effect in effects]

    def _render_one(self, effect: _AnyEffect) -> Outcome:
        match effect:
            case Respond(ticket, action, body):
                request = self._pending.pop(ticket)
                return Answer(ticket, HTTPStatus.OK, self._envelope(action, body, request.message_id))
            case Refuse(ticket, fault):
                request = self._pending.pop(ticket)
                return self._fault(ticket, fault, request.message_id, request.machine)
            case _:
                return effect

    def _fault(self, ticket: int, fault: faults.WSManFault, relates_to: str, machine: str) -> Answer:
        body = self._envelope(fault.action, fault.body(machine), relates_to)
        return Answer(ticket, HTTPStatus.INTERNAL_SERVER_ERROR, body)

    def _envelope(self, action: str, body: str, relates_to: str) -> bytes:
        message_id, activity_id = (str(self._new_id()).upper() for _ in range(2))
        return build_response(
            action, body, relates_to=relates_to, message_id=message_id, activity_id=activity_id
        )
