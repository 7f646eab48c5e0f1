"""TLS of a node's HTTPS listener: its context, made when the first client comes, and the handshake.

Source: RFC 5929 for what a proof of identity is bound to.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from provisioner.lab.authority import CertificateFiles
from provisioner.lab.logon import LogonSpec

_LOG: Final = logging.getLogger("provisioner.lab")
_WEAK: Final = frozenset({"md5", "sha1"})
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Channel:
    """What a proof of identity can be bound to.

    ``binding`` is the application data of the tls-server-end-point channel binding, empty without TLS;
    ``client_certificate`` the DER of what the client showed, empty if nothing.
    """

    is_tls: bool = False
    binding: bytes = b""
    client_certificate: bytes = b""


def channel_of(ssl_object: ssl.SSLObject | None, binding: bytes) -> Channel:
    """Describe a connection; without ``ssl_object`` it is a plain one."""
    if ssl_object is None:
        return Channel()
    return Channel(is_tls=True, binding=binding, client_certificate=ssl_object.getpeercert(True) or b"")


class ListenerTls:
    """The TLS of one listener. What clients have to trust is there from the start."""

    def __init__(self, files: CertificateFiles, logon: LogonSpec) -> None:
        files.prepare()
        self._files = files
        self._logon = logon

    @cached_property
    def context(self) -> ssl.SSLContext:
        """What connections are made with. A client certificate is asked for where one may be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._files.own())
        if "Certificate" in self._logon.authentication.schemes:
            context.verify_mode = ssl.CERT_OPTIONAL
            # A mapped certificate is trusted by itself, whoever issued it.
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
            mapped = [user.certificate_pem for user in self._logon.users if user.certificate_pem]
            context.load_verify_locations(
                cadata="\n".join([self._files.authority().read_text("ascii"), *mapped])
            )
        return context

    @cached_property
    def binding(self) -> bytes:
        """Application data of the channel binding: the hash of the listener's certificate."""
        certificate = x509.load_pem_x509_certificate(self._files.own().read_bytes())
        algorithm = certificate.signature_hash_algorithm
        chosen = hashes.SHA256() if algorithm is None or algorithm.name in _WEAK else algorithm
        digest = hashes.Hash(chosen)
        digest.update(certificate.public_bytes(Encoding.DER))
        return b"tls-server-end-point:" + digest.finalize()


class TlsDoor(asyncio.Protocol):
    """One connection until its handshake is done; then ``inside`` has it. Known to ``doors`` meanwhile.

    A silent one never begins to shake hands.
    """

    def __init__(
        self,
        tls: ListenerTls,
        inside: Callable[[], Any],
        doors: set[TlsDoor],
        limit_s: float,
        *,
        is_silent: bool = False,
    ) -> None:
        self._tls = tls
        self._inside = inside
        self._doors = doors
        self._limit_s = limit_s
        self._is_silent = is_silent
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._doors.add(self)
        if self._is_silent:
            return
        self._task = asyncio.get_running_loop().create_task(self._shake_hands(transport))

    def connection_lost(self, exc: Exception | None) -> None:
        """A client has gone before it was let in."""
        del exc
        self._doors.discard(self)

    def abort(self) -> None:
        """End the connection at once: the client sees a reset."""
        if self._transport is not None:
            raw = self._transport.get_extra_info("socket")
            if raw is not None:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._transport.abort()
        if self._task is not None:
            self._task.cancel()

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        try:
            inside = self._inside()
            secure = await loop.start_tls(
                transport,
                inside,
                self._tls.context,
                server_side=True,
                ssl_handshake_timeout=self._limit_s,
            )
        except (OSError, ValueError) as problem:
            # A client that does not trust the certificate says so and goes; that is its business.
            _LOG.info("a TLS handshake failed: %s", problem)
            transport.abort()
            return
        finally:
            self._doors.discard(self)
        if secure is not None and not secure.is_closing():
            inside.connection_made(secure)
            inside.data_received(b"")  # what came with the last message of the handshake is there already
