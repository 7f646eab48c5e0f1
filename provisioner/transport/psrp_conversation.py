"""One blocking conversation with a node through pypsrp: one TCP connection, one shell.

Everything here runs in the one worker thread of its transport, except ``abort`` and ``discard``. A wait on the
node is a chain of short Receives, so that a request to stop is seen within ``POLL_S``.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree as ET

from pypsrp import wsman
from pypsrp.client import Client
from pypsrp.complex_objects import PSInvocationState, RunspacePoolState
from pypsrp.exceptions import WinRMError, WSManFaultError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import SelectorSet, WSMan, WSManAction

from provisioner.transport.base import SWITCH, ErrorRecord, Pipeline, Result
from provisioner.transport.psrp_errors import OPERATION_TIMEOUT, copy_refusal
from provisioner.transport.psrp_values import ValueSerializer, read_error, to_wire

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from xml.etree.ElementTree import Element

    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPConnectionPool, PoolManager
    from urllib3.connection import HTTPConnection

    from provisioner.addresses import Endpoint, Logon
    from provisioner.transport.logon import Way

#: Longest a node holds one Receive: the delay with which a request to stop is seen.
POLL_S = 1
#: Longest wait for an answer that the node should give at once.
ANSWER_S = 20
READ_TIMEOUT_S = 30
#: Longest wait for each answer while leaving.
FAREWELL_S = 3
#: The node removes a shell by itself when nobody asked for so long. A node looks now and then, and who was lost
#: shall be gone from it after three minutes.
IDLE_S = 170
#: Misspelt in MS-PSRP 3.1.5.3.9 and in PowerShell itself.
_STOP_SIGNAL = "powershell/signal/crtl_c"
#: What ends a pipeline or a shell.
_FAREWELLS = frozenset({WSManAction.SIGNAL, WSManAction.DELETE})
#: Characters that a byte of a file becomes: base64 in a message, which is base64 in its envelope.
_CHARACTERS_A_BYTE = 16 / 9
#: From this size on, an empty file goes first: a library that sends is deaf until all is sent.
_LARGE_BYTES = 1_000_000
#: pypsrp's default: it raises this to 512000 itself once the node shows a protocol that allows it.
_START_ENVELOPE_BYTES = 153600

# pypsrp logs whole messages for debugging and every broken connection as an error; both are ours to tell.
for _name in ("pypsrp", "spnego", "urllib3"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).setLevel(logging.CRITICAL)

# The prefixes of pypsrp's messages, once for the whole process. Each of its WSMan objects would register them
# anew, which takes each away for a moment: a message that another thread writes just then calls the namespace of
# XML itself by another name, and a server refuses that as no XML.
for _prefix, _uri in wsman.NAMESPACES.items():
    ET.register_namespace(_prefix, _uri)
_SETTLED = SimpleNamespace(**{**vars(ET), "register_namespace": lambda _prefix, _uri: None})
wsman.ET = _SETTLED  # type: ignore[attr-defined, assignment]


class Stopped(Exception):
    """The caller asked to stop."""


class Expired(Exception):
    """The time the caller gave is over."""


class Limit:
    """When to stop: at a time of the monotonic clock, or as soon as the caller asks."""

    __slots__ = ("_deadline", "_stop")

    def __init__(self, stop: threading.Event, timeout_s: float) -> None:
        self._stop = stop
        self._deadline = time.monotonic() + timeout_s

    def check(self) -> None:
        """Return when there is time left.

        Raises:
            Stopped: The caller asked to stop.
            Expired: The time is over.
        """
        if self._stop.is_set():
            raise Stopped
        if time.monotonic() > self._deadline:
            raise Expired


class _LimitedWSMan(WSMan):
    """pypsrp's WSMan with a limit on waiting, and without its own repetition of broken requests."""

    limit: Limit | None = None
    #: Whether a shell may exist on the node.
    asked_for_shell = False
    #: Is told how many characters of input were sent with each message.
    on_send: Callable[[int], None] | None = None

    def invoke(  # noqa: PLR0913, PLR0917 - pypsrp's signature
        self,
        action: str,
        resource_uri: str,
        resource: Element | None,
        option_set: Any = None,
        selector_set: Any = None,
        timeout: int | None = None,
        *,
        retries_on_read_timeout: int = 0,  # noqa: ARG002 - who asks again is the engine's decision
    ) -> Element:
        waits = action == WSManAction.RECEIVE
        if action == WSManAction.CREATE:
            self.asked_for_shell = True
        # What removes a shell is no wait: it comes after the limit, and because of it.
        is_farewell = action in _FAREWELLS
        while True:
            if self.limit is not None and not is_farewell:
                self.limit.check()
            if action == WSManAction.SEND and self.on_send is not None and resource is not None:
                self.on_send(sum(len(stream.text or "") for stream in resource))
            self.operation_timeout = POLL_S if waits else ANSWER_S
            try:
                return super().invoke(action, resource_uri, resource, option_set, selector_set, timeout)
            except WSManFaultError as fault:
                if not (waits and fault.code == OPERATION_TIMEOUT):
                    raise


class Conversation:
    """One shell on one node, from ``open`` to ``close``."""

    def __init__(
        self, endpoint: Endpoint, way: Way, password: str | None, logon: Logon, connect_timeout_s: float
    ) -> None:
        """Prepare a conversation; nothing is connected yet.

        Raises:
            OSError: A file with certificates is not there.
        """
        trusted = logon.ca_certificates
        for path in (trusted, logon.client_certificate, logon.client_key):
            if path:
                Path(path).open("rb").close()
        self._is_of_connection = way.is_of_connection
        self._configuration_name = endpoint.configuration_name
        self._wsman = _LimitedWSMan(
            endpoint.host,
            max_envelope_size=_START_ENVELOPE_BYTES,
            operation_timeout=ANSWER_S,
            port=endpoint.port,
            username=way.user if way.auth != "certificate" else None,
            password=password if way.auth != "certificate" else None,
            ssl=endpoint.tls,
            path=endpoint.path,
            auth=way.auth,
            cert_validation=True,
            connection_timeout=math.ceil(connect_timeout_s),
            read_timeout=READ_TIMEOUT_S,
            encryption="auto" if endpoint.tls else "always",
            no_proxy=True,
            reconnection_retries=0,
            reconnection_backoff=0.0,
            negotiate_service=way.service,
            negotiate_hostname_override=way.host,
            # Over plain http there is no certificate, and pypsrp would warn about that.
            negotiate_send_cbt=endpoint.tls,
            **_certificate(logon, way),
        )
        self._pool = RunspacePool(
            self._wsman, configuration_name=endpoint.configuration_name, idle_timeout=IDLE_S
        )
        values = ValueSerializer()
        self._pool._serializer = values  # noqa: SLF001 - pypsrp offers no other place for a reader of values
        self._pool._fragmenter.serializer = values  # noqa: SLF001
        self._connections: list[HTTPConnection] = []
        session = self._wsman.transport._build_session()  # noqa: SLF001 - it would be made at the first request
        # The certificates a REQUESTS_CA_BUNDLE names are known by now; proxies and a .netrc are not wanted, and
        # looking for them costs a quarter of the time of a request.
        session.trust_env = False
        if trusted:
            session.verify = trusted
        self._wsman.transport.session = session
        for adapter in session.adapters.values():
            _watch(cast("HTTPAdapter", adapter).poolmanager, self._connections.append)
        self.is_open = False

    @property
    def left_shell(self) -> str | None:
        """Id of the shell that is or may be on the node, in case the connection is lost."""
        return self._pool.shell.id if self._wsman.asked_for_shell else None

    def open(self, limit: Limit, left_shells: Sequence[str]) -> None:
        """Authenticate, open a runspace pool, and remove shells that broken connections left behind."""
        self._wsman.limit = limit
        self._pool.open()
        self.is_open = True
        # An answer to a request sealed for another connection is no use, so a replaced connection must fail at
        # once instead of authenticating anew.
        session = self._wsman.transport.session
        assert session is not None
        if self._is_of_connection:
            session.auth = None
        for shell in left_shells:
            with contextlib.suppress(WSManFaultError):
                self._delete(shell)

    def run(self, pipeline: Pipeline, limit: Limit) -> Result:
        """Run a pipeline to its end; on ``Stopped`` and ``Expired`` it is stopped on the node first."""
        self._wsman.limit = limit
        shell = PowerShell(self._pool)
        for command in pipeline.commands:
            shell.add_cmdlet(command.name)
            for name, value in command.parameters.items():
                shell.add_parameter(name, None if value is SWITCH else to_wire(value))
            for value in command.arguments:
                shell.add_argument(to_wire(value))
        try:
            shell.begin_invoke(_feed(pipeline.input) if pipeline.input else None, remote_stream_options=0)
            while shell.state == PSInvocationState.RUNNING:
                shell.poll_invoke()
        except (Stopped, Expired):
            self._wsman.limit = None
            if shell.state == PSInvocationState.RUNNING:
                # pypsrp's own stop() spells the signal right, which PowerShell does not.
                self._pool.shell.signal(_STOP_SIGNAL, shell.id)
            raise
        finally:
            # The node forgets a finished command by itself, and so must we: sessions may run thousands.
            self._pool.pipelines.pop(shell.id, None)
        return _result(shell)

    def copy_file(self, source: str, destination: str, tell: Callable[[int], None], limit: Limit) -> Result:
        """Copy a file with pypsrp's own script; see ``Transport.copy_file``."""
        self._wsman.limit = limit
        client = Client(self._wsman.transport.server)
        client.wsman = self._wsman
        try:
            if Path(source).stat().st_size >= _LARGE_BYTES:
                client.copy(os.devnull, destination, self._configuration_name)
            self._wsman.on_send = _counting(tell)
            client.copy(source, destination, self._configuration_name)
        except WinRMError as error:
            if type(error) is not WinRMError:
                raise  # of the way, not of what ran there
            return Result(terminated=copy_refusal(str(error)))
        finally:
            self._wsman.on_send = None
        return Result()

    def close(self) -> None:
        """Remove the shell from the node and end the connection. Each answer is awaited for ``FAREWELL_S``."""
        self._wsman.limit = None
        self._hurry()
        try:
            if self._pool.state == RunspacePoolState.OPENED:
                self._pool.close()
        finally:
            self.discard()

    def remove_shells(self, shells: Sequence[str]) -> None:
        """Remove shells of lost connections over a new connection, without opening one more."""
        self._hurry()
        try:
            for shell in shells:
                with contextlib.suppress(WSManFaultError):
                    self._delete(shell)
        finally:
            self.discard()

    def abort(self) -> None:
        """Break the connection now, from any thread, so that a blocked worker wakes up with an error."""
        for connection in self._connections:
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def discard(self) -> None:
        """Forget the connection without a word to the node."""
        sockets = [connection.sock for connection in self._connections]
        self._wsman.close()
        # A handshake that failed half-way leaves its connection where a session does not look for it, and an
        # answer that was not read to its end still holds the socket.
        for connection in self._connections:
            connection.close()
        for raw in sockets:
            if raw is not None and (descriptor := raw.detach()) >= 0:
                os.close(descriptor)

    def _delete(self, shell: str) -> None:
        selectors = SelectorSet()
        selectors.add_option("ShellId", shell)
        self._wsman.delete(self._pool.shell.resource_uri, selector_set=selectors)

    def _hurry(self) -> None:
        self._wsman.transport.connection_timeout = FAREWELL_S
        self._wsman.transport.read_timeout = FAREWELL_S


def _certificate(logon: Logon, way: Way) -> dict[str, str]:
    """Name the client certificate and its key, which may be in one file."""
    if way.auth != "certificate":
        return {}
    key = logon.client_key or logon.client_certificate
    return {"certificate_pem": logon.client_certificate, "certificate_key_pem": key}


def _watch(manager: PoolManager, remember: Callable[[HTTPConnection], None]) -> None:
    """Have ``remember`` called with every connection that is made, before it is used."""

    def watched(make_pool: Callable[..., HTTPConnectionPool]) -> Callable[..., HTTPConnectionPool]:
        def make(*args: Any, **kwargs: Any) -> HTTPConnectionPool:
            pool = make_pool(*args, **kwargs)
            make_connection = cast("Callable[..., HTTPConnection]", pool.ConnectionCls)

            def make_remembered(*args: Any, **kwargs: Any) -> HTTPConnection:
                connection = make_connection(*args, **kwargs)
                remember(connection)
                return connection

            pool.ConnectionCls = make_remembered  # type: ignore[assignment]  # any maker of connections will do
            return pool

        return make

    makers: dict[str, Callable[..., HTTPConnectionPool]] = dict(manager.pool_classes_by_scheme)
    manager.pool_classes_by_scheme = {scheme: watched(maker) for scheme, maker in makers.items()}  # type: ignore[misc]


def _counting(tell: Callable[[int], None]) -> Callable[[int], None]:
    """Turn characters of messages into bytes of the file, all that were sent so far."""
    characters = 0

    def count(number: int) -> None:
        nonlocal characters
        characters += number
        tell(int(characters / _CHARACTERS_A_BYTE))

    return count


def _feed(values: Sequence[Any]) -> Iterator[list[Any]]:
    yield [to_wire(value) for value in values]


def _result(shell: PowerShell) -> Result:
    streams = shell.streams
    errors = [read_error(error) for error in streams.error]
    terminated: ErrorRecord | None = None
    if shell.state != PSInvocationState.COMPLETED:
        # pypsrp puts the error of the final state last in the error stream.
        terminated = (
            errors.pop()
            if errors
            else ErrorRecord("the pipeline ended without a reason", "", "OperationStopped")
        )
    return Result(
        output=tuple(shell.output),
        errors=tuple(errors),
        warnings=tuple(str(record.message or "") for record in streams.warning),
        verbose=tuple(str(record.message or "") for record in streams.verbose),
        terminated=terminated,
    )
