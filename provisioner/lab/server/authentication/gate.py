"""The gate of one listener: which schemes are offered, and what a connection has proved.

Handshakes belong to a connection; Basic and certificates prove every request anew. Whatever is wrong, the client
hears 401 and which schemes there are, nothing more.
"""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from spnego._context import ContextProxy, GSSMech

from provisioner.lab.logon import LogonSpec
from provisioner.lab.server.authentication import basic, certificate
from provisioner.lab.server.authentication.accounts import Accounts, Guarded
from provisioner.lab.server.authentication.credssp import CredSspContext
from provisioner.lab.server.authentication.kerberos import NodeKerberos, Realm, credential
from provisioner.lab.server.authentication.model import Context, Identity, LogonFailure
from provisioner.lab.server.authentication.negotiate import NegotiateContext, NodeNegotiate
from provisioner.lab.server.authentication.ntlm import NodeNtlm
from provisioner.lab.server.http import HttpResponse
from provisioner.lab.server.tls import Channel

_LOG: Final = logging.getLogger("provisioner.lab")
_HEADER: Final = "WWW-Authenticate"


class GuardedNode(Guarded, Protocol):
    """What the gate asks of its node."""

    name: str


@dataclass(frozen=True, slots=True)
class Admission:
    """A request may pass: whose it is, what seals its messages, and headers that belong to the answer."""

    identity: Identity
    context: Context | None = None
    headers: tuple[tuple[str, str], ...] = ()
    is_new: bool = True


class Gate:
    """One node's gate."""

    def __init__(self, node: GuardedNode) -> None:
        """Make the gate of a node.

        Raises:
            LabError: Its keytab cannot be used.
        """
        if node.logon.kerberos is not None:
            credential(node.logon.kerberos.keytab)
        self._name = node.name
        self._logon: LogonSpec = node.logon
        self._hardening = node.logon.authentication.channel_binding
        self.accounts = Accounts(node)
        self._realm = Realm(node.logon, node.computer_name, node.user)

    def enter(self, channel: Channel) -> Visit:
        """Meet a new connection."""
        return Visit(self, channel)

    def schemes(self, channel: Channel) -> tuple[str, ...]:
        """Return what a connection may use: Basic never in the clear, Kerberos only with a keytab."""
        settings = self._logon.authentication
        left = set(settings.schemes)
        if not channel.is_tls:
            left.discard("Certificate")
            if not settings.allow_unencrypted:
                left.discard("Basic")
        if self._logon.kerberos is None:
            left.discard("Kerberos")
        return tuple(scheme for scheme in settings.schemes if scheme in left)

    def challenge(self, channel: Channel) -> HttpResponse:
        """Say 401 and what there is to choose from; a certificate is asked for by TLS, not here."""
        offers = [basic.CHALLENGE if scheme == "Basic" else scheme for scheme in self.schemes(channel)]
        headers = tuple((_HEADER, offer) for offer in offers if offer != "Certificate")
        return HttpResponse(HTTPStatus.UNAUTHORIZED, headers)

    def context(self, scheme: str, channel: Channel) -> Context:
        """Begin a handshake."""
        if scheme == "Kerberos":
            return NegotiateContext(self._kerberos(channel))
        # Inside of CredSSP there is another TLS, to which the proof is bound by other means.
        inner = NodeNegotiate(self._mechanisms(channel if scheme == "Negotiate" else Channel()))
        return CredSspContext(inner, self.accounts) if scheme == "CredSSP" else NegotiateContext(inner)

    def log_on(self, scheme: str, text: str, channel: Channel) -> Identity:
        """Check a scheme without handshake.

        Raises:
            LogonFailure: It is not right.
        """
        if scheme == "Basic":
            return basic.log_on(self.accounts, text)
        return certificate.log_on(self.accounts, self._logon, channel)

    def note(self, scheme: str, failure: LogonFailure) -> None:
        """Keep for the lab's own log what the client is not told."""
        _LOG.info("%s refused a logon by %s: %s", self._name, scheme, failure)

    def _kerberos(self, channel: Channel) -> NodeKerberos:
        assert self._logon.kerberos is not None
        return NodeKerberos(self._realm, self._logon.kerberos, channel, self._hardening)

    def _mechanisms(self, channel: Channel) -> dict[GSSMech, ContextProxy]:
        found: dict[GSSMech, ContextProxy] = {}
        if self._logon.kerberos is not None:
            found[GSSMech.kerberos] = self._kerberos(channel)
        found[GSSMech.ntlm] = NodeNtlm(self.accounts, channel, self._hardening)
        return found


class Visit:
    """What one connection has proved so far."""

    def __init__(self, gate: Gate, channel: Channel) -> None:
        self._gate = gate
        self._channel = channel
        self._context: Context | None = None
        self._scheme = ""

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted by itself."""
        return self._channel.is_tls

    def admit(self, authorization: str) -> Admission | HttpResponse:
        """Let a request pass, or answer it. ``authorization`` is its header, empty when it has none."""
        if not authorization:
            proved = self._context.identity if self._context is not None else None
            if proved is None:
                return self._refuse()
            return Admission(proved, self._context, is_new=False)
        scheme, text = _read(authorization)
        if scheme not in self._gate.schemes(self._channel):
            return self._refuse()
        try:
            if scheme in {"Basic", "Certificate"}:
                return Admission(self._gate.log_on(scheme, text, self._channel))
            return self._go_on(scheme, text)
        except LogonFailure as failure:
            self._gate.note(scheme, failure)
            last_words = _token(scheme, failure.token) if failure.token else ()
            return self._refuse(last_words)

    def _go_on(self, scheme: str, text: str) -> Admission | HttpResponse:
        """Take the next step of a handshake."""
        if self._context is None or self._context.identity is not None or scheme != self._scheme:
            self._context, self._scheme = self._gate.context(scheme, self._channel), scheme
        try:
            token = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise LogonFailure("not base64") from None
        if not token:
            raise LogonFailure("no token")
        answer = self._context.step(token)
        identity = self._context.identity
        if identity is None:
            return HttpResponse(HTTPStatus.UNAUTHORIZED, _token(scheme, answer))
        return Admission(identity, self._context, _token(scheme, answer) if answer else ())

    def _refuse(self, last_words: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
        self._context = None
        if last_words:
            return HttpResponse(HTTPStatus.UNAUTHORIZED, last_words)
        return self._gate.challenge(self._channel)


def _token(scheme: str, token: bytes) -> tuple[tuple[str, str], ...]:
    return ((_HEADER, f"{scheme} {base64.b64encode(token).decode()}"),)


def _read(authorization: str) -> tuple[str, str]:
    """Tell the scheme, in WinRM's spelling, from the rest."""
    if authorization.strip().casefold() == certificate.PROFILE:
        return "Certificate", ""
    scheme, _, text = authorization.partition(" ")
    known = {"negotiate": "Negotiate", "kerberos": "Kerberos", "basic": "Basic", "credssp": "CredSSP"}
    return known.get(scheme.casefold(), ""), text
