"""NTLM for one node: an acceptor that knows the node's own account and name.

pyspnego's acceptor reads one process-wide file and calls every node by this machine's name; this one is given
both. Only NTLMv2 is accepted. Nothing here does I/O.

Source: MS-NLMP 3.2.5, 3.3.2; MS-SPNG for the Negotiate wrapping, which pyspnego does.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from typing import Any, Final

import spnego.exceptions
from spnego._context import GSSMech
from spnego._credential import NTLMHash
from spnego._negotiate import NegotiateProxy
from spnego._ntlm import NTLMProxy
from spnego._ntlm_raw.crypto import compute_response_v2, ntowfv1, ntowfv2, rc4k
from spnego._ntlm_raw.messages import (
    Authenticate,
    AvFlags,
    AvId,
    Challenge,
    FileTime,
    Negotiate,
    NegotiateFlags,
    NTClientChallengeV2,
    TargetInfo,
    Version,
)

_NTLM_V1_RESPONSE_BYTES: Final = 24
_NO_MIC: Final = b"\0" * 16


def nt_hash(password: str) -> bytes:
    """Return what Windows keeps instead of a password: MD4 of its UTF-16LE form.

    Source: MS-NLMP 3.3.1, NTOWFv1.
    """
    hashed: bytes = ntowfv1(password)
    return hashed


class LogonFailure(Exception):
    """The token is broken or the account or password is wrong. Never says which."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account a node accepts. ``nt_hash`` are the 16 bytes of MD4 over the UTF-16LE password."""

    computer_name: str
    user: str
    nt_hash: bytes

    def __repr__(self) -> str:
        return f"Account({self.principal!r})"

    @property
    def principal(self) -> str:
        """The account as Windows shows it: computer, backslash, user."""
        return f"{self.computer_name}\\{self.user}"


class _NodeNtlm(NTLMProxy):
    """The NTLM half of the acceptor."""

    def __init__(self, account: Account) -> None:
        # The accepting constructor insists on the process-wide file, so the initiating one is used and turned.
        super().__init__(NTLMHash(username=account.user, nt_hash=account.nt_hash.hex()), usage="initiate")
        self.usage = "accept"
        self._account = account

    def _step_accept_negotiate(self, token: bytes) -> bytes:
        negotiate = Negotiate.unpack(token)
        flags = (
            negotiate.flags
            | NegotiateFlags.request_target
            | NegotiateFlags.ntlm
            | NegotiateFlags.always_sign
            | NegotiateFlags.target_info
            | NegotiateFlags.target_type_server
        )
        if not flags & NegotiateFlags.unicode or not flags & NegotiateFlags.extended_session_security:
            raise LogonFailure("the client offers too little")
        flags &= ~NegotiateFlags.oem & ~NegotiateFlags.lm_key
        name = self._account.computer_name
        target = TargetInfo()
        target[AvId.nb_domain_name] = name
        target[AvId.nb_computer_name] = name
        target[AvId.dns_domain_name] = name
        target[AvId.dns_computer_name] = name
        target[AvId.timestamp] = FileTime.now()
        version = Version(10, 0, 20348) if flags & NegotiateFlags.version else None
        challenge = Challenge(flags, os.urandom(8), target_name=name, target_info=target, version=version)
        self._temp_negotiate, self._temp_challenge = negotiate, challenge
        return bytes(challenge.pack())

    def _step_accept_authenticate(self, token: bytes, channel_bindings: Any) -> None:
        del channel_bindings  # there is no TLS channel to bind to on plain HTTP
        auth = Authenticate.unpack(token)
        assert self._temp_negotiate is not None
        assert self._temp_challenge is not None
        key, expected_mic = self._verify(auth, self._temp_challenge)
        if auth.flags & NegotiateFlags.key_exch and auth.flags & (NegotiateFlags.sign | NegotiateFlags.seal):
            key = rc4k(key, auth.encrypted_random_session_key or b"")
        self._session_key = key
        if expected_mic:
            auth.mic = _NO_MIC
            actual = self._calculate_mic(
                key, self._temp_negotiate.pack(), self._temp_challenge.pack(), auth.pack()
            )
            if not hmac.compare_digest(actual, expected_mic):
                raise LogonFailure("the message integrity code is wrong")
        self._context_attr = auth.flags
        self._complete = True

    def _verify(self, auth: Authenticate, challenge: Challenge) -> tuple[bytes, bytes | None]:
        """Check user and response; return the key exchange key, and the MIC the client sent."""
        response = auth.nt_challenge_response or b""
        user = auth.user_name or ""
        if user.casefold() != self._account.user.casefold() or len(response) <= _NTLM_V1_RESPONSE_BYTES:
            raise LogonFailure("unknown account, or not NTLMv2")
        client = NTClientChallengeV2.unpack(response[16:])
        expected, _lm, key = compute_response_v2(
            ntowfv2(user, self._account.nt_hash, auth.domain_name),
            challenge.server_challenge,
            client.challenge_from_client,
            client.time_stamp,
            client.av_pairs,
        )
        if not hmac.compare_digest(response, expected):
            raise LogonFailure("the response does not fit the password")
        return key, auth.mic if client.av_pairs.get(AvId.flags, 0) & AvFlags.mic else None


class _NodeNegotiate(NegotiateProxy):
    """SPNEGO around it; offers nothing but NTLM, whatever this machine has."""

    @classmethod
    def available_protocols(cls, options: Any = None) -> list[str]:
        del options
        return ["ntlm", "negotiate"]


class Acceptor:
    """One handshake of one connection, and then its message encryption."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._context = _NodeNegotiate(
            protocol="negotiate", usage="accept", _negotiate_contexts={GSSMech.ntlm: _NodeNtlm(account)}
        )

    @property
    def is_complete(self) -> bool:
        """Whether the client has proved who it is."""
        return bool(self._context.complete)

    @property
    def principal(self) -> str:
        """The authenticated account."""
        return self._account.principal

    def step(self, token: bytes) -> bytes:
        """Take a token and return the one to send back, empty when there is none.

        Raises:
            LogonFailure: The handshake is over.
        """
        try:
            return self._context.step(token) or b""
        except LogonFailure:
            raise
        except Exception as problem:  # noqa: BLE001 - a broken token makes the parsers raise all kinds
            raise LogonFailure(type(problem).__name__) from None

    def wrap(self, message: bytes) -> tuple[bytes, bytes]:
        """Seal a message; returns signature and ciphertext."""
        sealed = self._context.wrap_winrm(message)
        return sealed.header, sealed.data

    def unwrap(self, signature: bytes, ciphertext: bytes) -> bytes:
        """Open a sealed message.

        Raises:
            LogonFailure: It was not sealed with this connection's key, or not in this order.
        """
        try:
            return bytes(self._context.unwrap_winrm(signature, ciphertext))
        except spnego.exceptions.SpnegoError:
            raise LogonFailure("a message cannot be decrypted") from None
