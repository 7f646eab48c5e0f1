"""HTTP/1.1 as a WinRM listener speaks it: one request after another on a connection that lives long.

Authentication belongs to the connection, so the connection is an object of its own. Whatever comes in, the
worst that happens is an error status and a closed connection.

Source: RFC 9112.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, Protocol, TypeAlias

from provisioner.lab.server.tls import Channel, channel_of

_LOG: Final = logging.getLogger("provisioner.lab.http")

Headers: TypeAlias = tuple[tuple[str, str], ...]

_MAX_HEAD_BYTES: Final = 32 * 1024
_MAX_BODY_BYTES: Final = 16 * 1024 * 1024
_MAX_CHUNK_LINE_BYTES: Final = 64
_REQUEST_LINE: Final = re.compile(rb"([A-Z]{1,16}) ([\x21-\x7e]{1,2048}) HTTP/1\.([01])")
_HEADER: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")


class BadRequest(Exception):
    """The bytes are no request this server takes."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        self.status = status
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. Header names are in lower case; of a repeated header the last one counts."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    keeps_alive: bool


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One response. ``closes`` ends the connection after it."""

    status: HTTPStatus
    headers: Headers = ()
    body: bytes = b""
    closes: bool = False

    def encode(self) -> bytes:
        """Write it out."""
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += ["Server: Microsoft-HTTPAPI/2.0", f"Date: {formatdate(usegmt=True)}"]
        if self.closes:
            lines.append("Connection: close")
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        return "\r\n".join(lines).encode("latin-1", "replace") + self.body


@dataclass(slots=True)
class _Head:
    method: str
    path: str
    headers: dict[str, str]
    keeps_alive: bool
    length: int
    is_chunked: bool


@dataclass(slots=True)
class RequestParser:
    """Cuts requests out of a byte stream. Sans-I/O.

    ``wants_continue`` is set when the client waits for ``100 Continue``; the caller clears it.
    """

    wants_continue: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _head: _Head | None = None
    _chunks: bytearray = field(default_factory=bytearray)

    @property
    def is_idle(self) -> bool:
        """Whether no request has begun."""
        return not self._buffer and self._head is None

    def feed(self, data: bytes) -> None:
        """Take bytes from the connection."""
        self._buffer += data

    def next_request(self) -> HttpRequest | None:
        """Return the next whole request, or None when more bytes are needed.

        Raises:
            BadRequest: There is no way to go on.
        """
        if self._head is None:
            self._head = self._read_head()
            if self._head is None:
                return None
        body = self._read_chunks() if self._head.is_chunked else self._read_body(self._head.length)
        if body is None:
            return None
        head, self._head = self._head, None
        self.wants_continue = False
        return HttpRequest(head.method, head.path, head.headers, body, head.keeps_alive)

    def _read_head(self) -> _Head | None:
        while self._buffer.startswith(b"\r\n"):
            del self._buffer[:2]
        if self._buffer and not self._buffer[:1].isalpha():
            raise BadRequest(HTTPStatus.BAD_REQUEST, "not HTTP")
        end = self._buffer.find(b"\r\n\r\n", 0, _MAX_HEAD_BYTES)
        if end < 0:
            if len(self._buffer) >= _MAX_HEAD_BYTES:
                raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head too large")
            return None
        lines = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        return self._parse_head(lines)

    def _parse_head(self, lines: list[bytes]) -> _Head:
        first = _REQUEST_LINE.fullmatch(lines[0])
        if first is None:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "no request line")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            found = _HEADER.fullmatch(line)
            if found is None:
                raise BadRequest(HTTPStatus.BAD_REQUEST, "a broken header")
            name = found[1].decode("ascii").lower()
            if name in {"content-length", "transfer-encoding"} and name in headers:
                raise BadRequest(HTTPStatus.BAD_REQUEST, f"{name} twice")
            headers[name] = found[2].decode("latin-1")
        length, is_chunked = self._framing(headers)
        self.wants_continue = headers.get("expect", "").lower() == "100-continue" and (
            length > 0 or is_chunked
        )
        connection = headers.get("connection", "").lower()
        keeps_alive = "close" not in connection if first[3] == b"1" else "keep-alive" in connection
        method, path = first[1].decode("ascii"), first[2].decode("ascii")
        return _Head(method, path, headers, keeps_alive, length, is_chunked)

    @staticmethod
    def _framing(headers: Mapping[str, str]) -> tuple[int, bool]:
        encoding = headers.get("transfer-encoding", "").lower()
        text = headers.get("content-length")
        if encoding:
            if encoding != "chunked" or text is not None:
                raise BadRequest(HTTPStatus.BAD_REQUEST, "unclear framing")
            return 0, True
        if text is None:
            return 0, False
        if not re.fullmatch("[0-9]{1,19}", text):
            raise BadRequest(HTTPStatus.BAD_REQUEST, "content-length is no number")
        if int(text) > _MAX_BODY_BYTES:
            raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body too large")
        return int(text), False

    def _read_body(self, length: int) -> bytes | None:
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _read_chunks(self) -> bytes | None:
        while True:
            end = self._buffer.find(b"\r\n", 0, _MAX_CHUNK_LINE_BYTES)
            if end < 0:
                if len(self._buffer) >= _MAX_CHUNK_LINE_BYTES:
                    raise BadRequest(HTTPStatus.BAD_REQUEST, "a chunk size line that does not end")
                return None
            found = _CHUNK_SIZE.fullmatch(bytes(self._buffer[:end]))
            if found is None:
                raise BadRequest(HTTPStatus.BAD_REQUEST, "a broken chunk size")
            size = int(found[1], 16)
            if len(self._chunks) + size > _MAX_BODY_BYTES:
                raise BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body too large")
            if len(self._buffer) < end + 2 + size + 2:
                return None
            self._chunks += self._buffer[end + 2 : end + 2 + size]
            if self._buffer[end + 2 + size : end + 4 + size] != b"\r\n":
                raise BadRequest(HTTPStatus.BAD_REQUEST, "a chunk that does not end, or trailers")
            del self._buffer[: end + 4 + size]
            if size == 0:
                body = bytes(self._chunks)
                self._chunks.clear()
                return body


Handler = Callable[[HttpRequest], Awaitable[HttpResponse]]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the server waits, in seconds: for a request once it has begun, and for the next one."""

    request_s: float = 30.0
    idle_s: float = 120.0


class Disturbance(Protocol):
    """What is wrong between clients and a node. Asked for each piece of data and each message."""

    @property
    def is_silent(self) -> bool:
        """Whether nothing is answered and nothing ends."""
        ...

    def arrives(self, connection: HttpConnection, data: bytes) -> bool:
        """Whether data of a client reach the node; if not, what happens to the connection has happened."""
        ...

    def asks(self, connection: HttpConnection) -> bool:
        """Whether a whole request reaches the node; as before."""
        ...

    def refuses(self) -> int | None:
        """Give the status with which a request is answered unseen; None when it is not."""
        ...

    async def answers(self, connection: HttpConnection, data: bytes) -> bool:
        """Send an answer, in whatever way; tell whether the connection goes on."""
        ...


class HttpConnection(asyncio.Protocol):
    """One connection. ``opened`` gives the handler of its requests; ``closed`` is told when it is over.

    ``channel`` is what a proof of identity can be bound to; ``binding`` of it only matters with TLS. A request is
    cancelled when its connection breaks.
    """

    def __init__(
        self,
        opened: Callable[[HttpConnection], Handler],
        closed: Callable[[HttpConnection], None],
        timeouts: Timeouts,
        binding: bytes = b"",
    ) -> None:
        self._opened = opened
        self._closed = closed
        self._timeouts = timeouts
        self._binding = binding
        self._parser = RequestParser()
        self._handler: Handler | None = None
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_timing_request = False
        self.peer_address = ""
        self.channel = Channel()
        #: Stands between client and node while there is something wrong.
        self.disturbance: Disturbance | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer = transport.get_extra_info("peername")
        self.peer_address = peer[0] if peer else ""
        self.channel = channel_of(transport.get_extra_info("ssl_object"), self._binding)
        self._handler = self._opened(self)
        self._restart_deadline(self._timeouts.request_s)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self.disturbance is not None and not self.disturbance.arrives(self, data):
            return
        self._parser.feed(data)
        if self._task is None:
            self._continue()
        elif self._transport is not None:
            self._transport.pause_reading()  # one request at a time; what comes early waits in the kernel

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        del exc
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        if self._task is not None:
            self._task.cancel()
        self._closed(self)

    def abort(self) -> None:
        """End the connection at once, as a machine does that goes away: the client sees a reset."""
        if self._transport is None:
            return
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def write(self, data: bytes) -> None:
        """Send bytes, unless the connection is over."""
        if self._transport is not None:
            self._transport.write(data)

    def hang_up(self) -> None:
        """End the connection with a farewell, once what was written is sent."""
        if self._transport is not None:
            self._transport.close()

    def _restart_deadline(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        if self.disturbance is not None and self.disturbance.is_silent:
            return
        self.hang_up()

    def _continue(self) -> None:
        """Begin the next request if it is there as a whole."""
        if self._transport is None:
            return
        try:
            request = self._parser.next_request()
        except BadRequest as problem:
            _LOG.info("refused bytes from %s: %s", self.peer_address, problem)
            self._transport.write(HttpResponse(problem.status, closes=True).encode())
            self._transport.close()
            return
        if request is not None:
            self._is_timing_request = False
            if self._deadline is not None:
                self._deadline.cancel()
            if self.disturbance is not None and not self.disturbance.asks(self):
                return
            self._task = asyncio.get_running_loop().create_task(self._serve(request))
            return
        if self._parser.wants_continue:
            self._parser.wants_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._parser.is_idle and not self._is_timing_request:
            self._is_timing_request = True
            self._restart_deadline(self._timeouts.request_s)

    async def _serve(self, request: HttpRequest) -> None:
        assert self._handler is not None
        try:
            response = await self._handler(request)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - logged; the server lives on
            _LOG.exception("a request from %s failed", self.peer_address)
            response = HttpResponse(HTTPStatus.INTERNAL_SERVER_ERROR, closes=True)
        goes_on = True
        if self.disturbance is not None:
            goes_on = await self.disturbance.answers(self, response.encode())
        else:
            self.write(response.encode())
        self._task = None
        if self._transport is None or not goes_on:
            return
        if response.closes or not request.keeps_alive:
            self._transport.close()
            return
        self._restart_deadline(self._timeouts.idle_s)
        self._transport.resume_reading()
        self._continue()
