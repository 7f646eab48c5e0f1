"""The WinRM listener of one node: HTTP requests to the WS-Management service, and its answers back.

Authenticates each connection, insists on message encryption, keeps the requests that wait, and lets nothing
that goes wrong reach beyond the request in which it did.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import itertools
import logging
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol

from provisioner.lab.server import encryption
from provisioner.lab.server.http import Handler, HttpConnection, HttpRequest, HttpResponse, Timeouts
from provisioner.lab.server.ntlm import Acceptor, Account, LogonFailure
from provisioner.lab.server.runspace import ListCommands, RunPipeline, Runspaces
from provisioner.wire.identify import UNAUTHENTICATED_HEADER
from provisioner.wire.service import Answer, Outcome, Service
from provisioner.wire.settings import ServiceSettings
from provisioner.wire.shell import Await, Caller, Ended, Happened

_LOG: Final = logging.getLogger("provisioner.lab")
_SOAP: Final = ("Content-Type", "application/soap+xml;charset=UTF-8")
_CHALLENGE: Final = HttpResponse(HTTPStatus.UNAUTHORIZED, (("WWW-Authenticate", "Negotiate"),))
_BUILD: Final = "20348.2227"


class ServedNode(Protocol):
    """What the listener needs to know of a simulated node."""

    name: str
    computer_name: str
    user: str
    nt_hash: bytes


@dataclass(slots=True)
class _Pending:
    """A request that has no answer yet."""

    answer: asyncio.Future[Answer]
    timer: asyncio.TimerHandle | None = None


@dataclass(slots=True)
class Counters:
    """What has happened on a node's listener since the lab came up."""

    connections: int = 0
    requests: int = 0
    logons: int = 0


@dataclass(slots=True)
class _Session:
    """What one connection has proved so far."""

    connection: HttpConnection
    acceptor: Acceptor | None = None

    @property
    def is_authenticated(self) -> bool:
        return self.acceptor is not None and self.acceptor.is_complete


@dataclass(slots=True)
class _Wanted:
    """Shells with output to send in the loop's next turn."""

    shells: set[uuid.UUID] = field(default_factory=set)
    is_scheduled: bool = False


class Listener:
    """One node's service and its connections. Needs a running loop."""

    def __init__(
        self,
        node: ServedNode,
        run_pipeline: RunPipeline,
        list_commands: ListCommands,
        settings: ServiceSettings,
        timeouts: Timeouts,
    ) -> None:
        self._node = node
        self._timeouts = timeouts
        self._service = Service(settings, _BUILD, uuid.uuid4)
        self._runspaces = Runspaces(node, run_pipeline, list_commands, self._written)
        self._connections: set[HttpConnection] = set()
        self._pending: dict[int, _Pending] = {}
        self._tickets = itertools.count(1)
        self._wanted = _Wanted()
        self.counters = Counters()

    @property
    def connections_open(self) -> int:
        """Number of connections."""
        return len(self._connections)

    @property
    def shells_open(self) -> int:
        """Number of shells."""
        return self._service.shells_open

    @property
    def pipelines_run(self) -> int:
        """Number of pipelines begun."""
        return self._runspaces.pipelines_run

    def new_connection(self) -> HttpConnection:
        """Make the protocol object of one connection."""
        return HttpConnection(self._opened, self._connections.discard, self._timeouts)

    def abort_connections(self) -> None:
        """Reset all connections; shells stay."""
        for connection in list(self._connections):
            connection.abort()

    def end_shells(self) -> None:
        """Remove all shells, as a shutdown does."""
        self._apply(self._service.remove_all())

    def sweep(self) -> None:
        """Remove the shells nobody uses."""
        self._apply(self._service.sweep(asyncio.get_running_loop().time()))

    # -- one connection ------------------------------------------------------------------------------------

    def _opened(self, connection: HttpConnection) -> Handler:
        self._connections.add(connection)
        self.counters.connections += 1
        session = _Session(connection)

        async def handle(request: HttpRequest) -> HttpResponse:
            return await self._handle(session, request)

        return handle

    async def _handle(self, session: _Session, request: HttpRequest) -> HttpResponse:
        self.counters.requests += 1
        path = request.path.partition("?")[0].rstrip("/").lower()
        if path not in {"/wsman", "/wsman-anon/identify"}:
            return HttpResponse(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return HttpResponse(HTTPStatus.METHOD_NOT_ALLOWED, (("Allow", "POST"),))
        if self._is_anonymous_identify(path, request):
            answer = self._service.identify(0, request.body, is_authenticated=False)
            return HttpResponse(answer.status, (_SOAP,), answer.body)
        token = request.headers.get("authorization", "")
        if token:
            return await self._authenticate(session, token, request)
        if not session.is_authenticated:
            return _CHALLENGE
        return await self._serve(session, request, ())

    @staticmethod
    def _is_anonymous_identify(path: str, request: HttpRequest) -> bool:
        header = request.headers.get(UNAUTHENTICATED_HEADER, "").lower()
        return path == "/wsman-anon/identify" or header == "unauthenticated"

    async def _authenticate(self, session: _Session, header: str, request: HttpRequest) -> HttpResponse:
        scheme, _, text = header.partition(" ")
        if scheme.lower() != "negotiate":
            return _CHALLENGE
        if session.acceptor is None or session.acceptor.is_complete:
            session.acceptor = Acceptor(self._account())
        try:
            token = session.acceptor.step(base64.b64decode(text.strip(), validate=True))
        except (LogonFailure, binascii.Error, ValueError):
            session.acceptor = None
            return _CHALLENGE
        answer = (("WWW-Authenticate", f"Negotiate {base64.b64encode(token).decode()}"),)
        if not session.acceptor.is_complete:
            return HttpResponse(HTTPStatus.UNAUTHORIZED, answer)
        self.counters.logons += 1
        return await self._serve(session, request, answer if token else ())

    def _account(self) -> Account:
        return Account(self._node.computer_name, self._node.user, self._node.nt_hash)

    async def _serve(
        self, session: _Session, request: HttpRequest, headers: tuple[tuple[str, str], ...]
    ) -> HttpResponse:
        """Answer an authenticated request."""
        assert session.acceptor is not None
        if not request.body:
            return HttpResponse(HTTPStatus.OK, headers)
        if not encryption.is_encrypted(request.headers.get("content-type", "")):
            # AllowUnencrypted is false: Windows gives no reason either.
            return HttpResponse(HTTPStatus.INTERNAL_SERVER_ERROR, headers)
        try:
            message = encryption.unwrap(session.acceptor, request.body)
        except (encryption.BrokenFrame, LogonFailure):
            return HttpResponse(HTTPStatus.BAD_REQUEST, headers, closes=True)
        caller = Caller(session.acceptor.principal, session.connection.peer_address)
        answer = await self._answer(message, caller)
        if not answer.body:
            return HttpResponse(answer.status, headers)
        body = encryption.wrap(session.acceptor, answer.body)
        return HttpResponse(answer.status, (*headers, ("Content-Type", encryption.CONTENT_TYPE)), body)

    # -- requests and what they wait for -------------------------------------------------------------------

    async def _answer(self, message: bytes, caller: Caller) -> Answer:
        loop = asyncio.get_running_loop()
        ticket = next(self._tickets)
        pending = self._pending[ticket] = _Pending(loop.create_future())
        try:
            self._apply(self._service.handle(ticket, message, caller, loop.time()))
            return await pending.answer
        except Exception:  # noqa: BLE001 - logged; the node lives on
            _LOG.exception("a request to %s failed: this is a bug in the lab", self._node.name)
            return self._service.failed(ticket, message)
        finally:
            self._pending.pop(ticket, None)
            if pending.timer is not None:
                pending.timer.cancel()
            if not pending.answer.done() or pending.answer.cancelled():
                self._service.abandon(ticket)

    def _apply(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Answer(ticket):
                    pending = self._pending.get(ticket)
                    if pending is not None and not pending.answer.done():
                        pending.answer.set_result(outcome)
                case Await(ticket, timeout_s):
                    timer = asyncio.get_running_loop().call_later(timeout_s, self._expire, ticket)
                    self._pending[ticket].timer = timer
                case Happened(shell_id, event):
                    self._happened(shell_id, event)
                case Ended(shell_id):
                    self._runspaces.end(shell_id)

    def _happened(self, shell_id: uuid.UUID, event: Any) -> None:
        pool = self._service.pool(shell_id)
        if pool is not None:
            self._runspaces.handle(shell_id, pool, event, self._account().principal)

    def _expire(self, ticket: int) -> None:
        self._apply(self._service.expire(ticket))

    def _written(self, shell_id: uuid.UUID) -> None:
        self._wanted.shells.add(shell_id)
        if not self._wanted.is_scheduled:
            self._wanted.is_scheduled = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._wanted.is_scheduled = False
        shells = list(self._wanted.shells)
        self._wanted.shells.clear()
        for shell_id in shells:
            self._apply(self._service.pump(shell_id))
