"""The WinRM listener of one node: HTTP requests to the WS-Management service, and its answers back.

Authenticates each connection, insists on message encryption, keeps the requests that wait, and lets nothing
that goes wrong reach beyond the request in which it did.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Protocol

from provisioner.lab.authority import CertificateFiles
from provisioner.lab.looking.recording import Recorder
from provisioner.lab.processes.run import run_process
from provisioner.lab.processes.table import is_program_path
from provisioner.lab.server.authentication import encryption
from provisioner.lab.server.authentication.accounts import Accounts
from provisioner.lab.server.authentication.gate import Admission, Gate, GuardedNode, Visit
from provisioner.lab.server.authentication.model import LogonFailure
from provisioner.lab.server.cim import execute
from provisioner.lab.server.http import (
    Disturbance,
    Handler,
    Headers,
    HttpConnection,
    HttpRequest,
    HttpResponse,
    Timeouts,
)
from provisioner.lab.server.processes import Processes
from provisioner.lab.server.runspace import ListCommands, RunPipeline, Runspaces
from provisioner.lab.server.tls import ListenerTls, TlsDoor
from provisioner.wire import faults
from provisioner.wire.cim.enumerations import CimRequested, Result
from provisioner.wire.cim.requests import Operation
from provisioner.wire.contents import Await, Caller, Ended, Happened
from provisioner.wire.identify import UNAUTHENTICATED_HEADER
from provisioner.wire.service import Answer, Outcome, Service
from provisioner.wire.settings import Quotas, ServiceSettings
from provisioner.wire.winrs import Programs

_LOG: Final = logging.getLogger("provisioner.lab")
_SOAP: Final = ("Content-Type", "application/soap+xml;charset=UTF-8")
_HTML: Final = ("Content-Type", "text/html; charset=us-ascii")
#: What HTTP.sys says when no service has registered the URL.
_UNAVAILABLE: Final = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    b"<HTML><HEAD><TITLE>Service Unavailable</TITLE>\r\n"
    b'<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></HEAD>\r\n'
    b"<BODY><h2>Service Unavailable</h2>\r\n<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n"
    b"</BODY></HTML>\r\n"
)
#: The session configuration that every Windows has.
_ENDPOINT: Final = "microsoft.powershell"


class ServedNode(GuardedNode, Protocol):
    """What the listener needs to know of a simulated node.

    ``build`` of its Windows is like ``20348.2227``; ``https_files`` is None without HTTPS. ``endpoints``
    are those besides the default one, in lower case.
    """

    build: str
    quotas: Quotas
    https_files: CertificateFiles | None

    @property
    def endpoints(self) -> Collection[str]:
        """Names of its session configurations."""
        ...

    def has_folder(self, path: str) -> bool:
        """Whether there is a folder of this path."""
        ...


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


@dataclass(frozen=True, slots=True)
class _Session:
    """One connection, and what it has proved so far."""

    connection: HttpConnection
    visit: Visit


@dataclass(slots=True)
class _Wanted:
    """Shells with output to send in the loop's next turn."""

    shells: set[uuid.UUID] = field(default_factory=set)
    is_scheduled: bool = False


def _settings_of(node: ServedNode, settings: ServiceSettings) -> ServiceSettings:
    """Have winrm/config say what the gate does."""
    offered = node.logon.authentication
    return replace(
        settings,
        quotas=node.quotas,
        endpoints=frozenset({_ENDPOINT, *node.endpoints}),
        schemes=offered.schemes,
        allow_unencrypted=offered.allow_unencrypted,
        channel_binding=offered.channel_binding,
        https_port=node.logon.https.port if node.logon.https else settings.https_port,
    )


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
        programs = Programs(is_program_path, node.has_folder)
        self._service = Service(_settings_of(node, settings), node.build, uuid.uuid4, programs)
        self._runspaces = Runspaces(node, run_pipeline, list_commands, self._written)
        self._processes = Processes(node, run_process, self._written)
        self._connections: set[HttpConnection] = set()
        self._doors: set[TlsDoor] = set()
        files = node.https_files
        self._tls = ListenerTls(files, node.logon) if files else None
        self._pending: dict[int, _Pending] = {}
        self._cim_tasks: set[asyncio.Task[None]] = set()
        self._tickets = itertools.count(1)
        self._wanted = _Wanted()
        self._gate = Gate(node)
        self._disturbance: Disturbance | None = None
        #: Writes down every exchange while it is set.
        self.recorder: Recorder | None = None
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

    @property
    def accounts(self) -> Accounts:
        """The accounts of the node, for whoever else lets clients in."""
        return self._gate.accounts

    def new_connection(self) -> HttpConnection:
        """Make the protocol object of one connection."""
        return HttpConnection(self._opened, self._connections.discard, self._timeouts)

    def new_tls_connection(self) -> TlsDoor:
        """Make the protocol object of one connection over TLS.

        Raises:
            LabError: The node's certificate cannot be used.
        """
        tls = self._tls
        assert tls is not None, f"{self._node.name} has no HTTPS"

        def inside() -> HttpConnection:
            return HttpConnection(self._opened, self._connections.discard, self._timeouts, tls.binding)

        is_silent = self._disturbance is not None and self._disturbance.is_silent
        return TlsDoor(tls, inside, self._doors, self._timeouts.request_s, is_silent=is_silent)

    def disturb(self, disturbance: Disturbance | None) -> None:
        """Put something between all clients and the node, or take it away."""
        self._disturbance = disturbance
        for connection in self._connections:
            connection.disturbance = disturbance

    def show(self, files: CertificateFiles) -> None:
        """Let new connections over TLS see another certificate."""
        self._tls = ListenerTls(files, self._node.logon)

    def use_up(self, quotas: Mapping[str, int]) -> None:
        """Have others use up these quotas, and no others."""
        self._service.use_up(quotas)

    def restart_service(self) -> None:
        """Remove all shells, as a restart of the service does: who still uses one is told so."""
        self._apply(self._service.restart())
        for task in self._cim_tasks:
            task.cancel()

    def abort_connections(self) -> None:
        """Reset all connections; shells stay."""
        for connection in list(self._connections):
            connection.abort()
        for door in list(self._doors):
            door.abort()

    def end_shells(self) -> None:
        """Remove all shells, as a shutdown does, and what is under way."""
        self._apply(self._service.remove_all())
        for task in self._cim_tasks:
            task.cancel()

    def sweep(self) -> None:
        """Remove the shells nobody uses."""
        self._apply(self._service.sweep(asyncio.get_running_loop().time()))

    # -- one connection ------------------------------------------------------------------------------------

    def _opened(self, connection: HttpConnection) -> Handler:
        self._connections.add(connection)
        connection.disturbance = self._disturbance
        self.counters.connections += 1
        session = _Session(connection, self._gate.enter(connection.channel))

        async def handle(request: HttpRequest) -> HttpResponse:
            return await self._handle(session, request)

        return handle

    async def _handle(self, session: _Session, request: HttpRequest) -> HttpResponse:
        self.counters.requests += 1
        if self._disturbance is not None and (status := self._disturbance.refuses()) is not None:
            return self._refused(session, status)
        path = request.path.partition("?")[0].rstrip("/").lower()
        if path not in {"/wsman", "/wsman-anon/identify"}:
            return HttpResponse(HTTPStatus.NOT_FOUND)
        if request.method != "POST":
            return HttpResponse(HTTPStatus.METHOD_NOT_ALLOWED, (("Allow", "POST"),))
        if self._is_anonymous_identify(path, request):
            answer = self._service.identify(0, request.body, is_authenticated=False)
            return HttpResponse(answer.status, (_SOAP,), answer.body)
        admission = session.visit.admit(request.headers.get("authorization", ""))
        if isinstance(admission, HttpResponse):
            return admission
        self.counters.logons += admission.is_new
        return await self._serve(session, request, admission)

    def _refused(self, session: _Session, status: int) -> HttpResponse:
        """Answer as HTTP.sys does when WinRM has no say."""
        if status == HTTPStatus.UNAUTHORIZED:
            return self._gate.challenge(session.connection.channel)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            return HttpResponse(HTTPStatus.SERVICE_UNAVAILABLE, (_HTML,), _UNAVAILABLE)
        return HttpResponse(HTTPStatus(status))

    @staticmethod
    def _is_anonymous_identify(path: str, request: HttpRequest) -> bool:
        header = request.headers.get(UNAUTHENTICATED_HEADER, "").lower()
        return path == "/wsman-anon/identify" or header == "unauthenticated"

    async def _serve(self, session: _Session, request: HttpRequest, admission: Admission) -> HttpResponse:
        """Answer an authenticated request."""
        headers = admission.headers
        if not request.body:
            return HttpResponse(HTTPStatus.OK, headers)
        kind = request.headers.get("content-type", "")
        user = admission.identity.user
        caller = Caller(
            admission.identity.principal,
            session.connection.peer_address,
            is_administrator=user.is_administrator,
            may_remote=user.may_remote,
        )
        if admission.context is None or not encryption.is_encrypted(kind):
            return await self._serve_plain(session.visit, request, headers, caller)
        try:
            message = encryption.unwrap(admission.context, kind, request.body)
        except (encryption.BrokenFrame, LogonFailure):
            return HttpResponse(HTTPStatus.BAD_REQUEST, headers, closes=True)
        answer = await self._answer(message, caller)
        if not answer.body:
            return HttpResponse(answer.status, headers)
        protocol = encryption.protocol_of(kind)
        content_type, body = encryption.wrap(admission.context, protocol, answer.body)
        return HttpResponse(answer.status, (*headers, ("Content-Type", content_type)), body)

    async def _serve_plain(
        self, visit: Visit, request: HttpRequest, headers: Headers, caller: Caller
    ) -> HttpResponse:
        """Answer a request that is not sealed: over HTTPS, or where the node allows it."""
        if not visit.is_tls and not self._node.logon.authentication.allow_unencrypted:
            # AllowUnencrypted is false: Windows gives no reason either.
            return HttpResponse(HTTPStatus.INTERNAL_SERVER_ERROR, headers)
        answer = await self._answer(request.body, caller)
        return HttpResponse(answer.status, (*headers, _SOAP) if answer.body else headers, answer.body)

    # -- requests and what they wait for -------------------------------------------------------------------

    async def _answer(self, message: bytes, caller: Caller) -> Answer:
        if self.recorder is not None:
            return await self.recorder.around(self.answer, message, caller)
        return await self.answer(message, caller)

    async def answer(self, message: bytes, caller: Caller) -> Answer:
        """Answer one request of ``caller``, however it came; waits for what the request waits for."""
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
                case CimRequested(ticket, operation, user):
                    task = asyncio.get_running_loop().create_task(self._cim(ticket, operation, user))
                    self._cim_tasks.add(task)
                    task.add_done_callback(self._cim_tasks.discard)
                case Happened(shell_id, event):
                    self._happened(shell_id, event)
                case Ended(shell_id):
                    self._runspaces.end(shell_id)
                    self._processes.end(shell_id)

    def _happened(self, shell_id: uuid.UUID, event: Any) -> None:
        caller = self._service.caller(shell_id)
        pool, shell = self._service.pool(shell_id), self._service.command_shell(shell_id)
        if pool is not None and caller is not None:
            self._runspaces.handle(shell_id, pool, event, caller.user)
        if shell is not None and caller is not None:
            self._processes.handle(shell_id, shell, event, caller.user)

    async def _cim(self, ticket: int, operation: Operation, user: str) -> None:
        """Carry out what was asked of a class; it goes on when its client does not wait for it any longer."""
        result: Result
        try:
            result = await execute(self._node, operation, user)
        except Exception:  # noqa: BLE001 - logged; the node lives on
            _LOG.exception("a CIM operation on %s failed: this is a bug in the lab", self._node.name)
            result = faults.internal_error()
        self._apply(self._service.cim_answered(ticket, result, asyncio.get_running_loop().time()))

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
