"""NTLM for one node: the accepting side, with the node's own accounts and name.

pyspnego's acceptor reads one process-wide file and calls every node by this machine's name; this one is given
both. Only NTLMv2 is accepted. Nothing here does I/O.

Source: MS-NLMP 3.2.5, 3.3.2, 3.4.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from typing import Any, Final

from spnego._credential import NTLMHash
from spnego._ntlm import NTLMProxy
from spnego._ntlm_raw.crypto import rc4k
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
from spnego.channel_bindings import GssChannelBindings

from provisioner.lab.server.authentication.accounts import Accounts
from provisioner.lab.server.authentication.model import Identity, LogonFailure, NtStatus
from provisioner.lab.server.tls import Channel

_NTLM_V1_RESPONSE_BYTES: Final = 24
_PROOF_BYTES: Final = 16
_MIC: Final = slice(72, 88)
_NO_MIC: Final = b"\0" * 16
_NO_BINDING: Final = b"\0" * 16
#: Letters whose upper case Python knows and Windows does not: dotted and dotless i, long s.
_WITHOUT_CASE: Final = frozenset("\u0130\u0131\u017f")

MakeChallenge = Callable[[Negotiate, str], bytes]


def upper(text: str) -> str:
    """Return the upper case of a user name as Windows forms it: letter by letter, none becoming two.

    Source: recordings of the .NET class library, whose rule is that of Windows.
    """
    return "".join(_upper_letter(letter) for letter in text)


def _upper_letter(letter: str) -> str:
    raised = letter.upper()
    return letter if letter in _WITHOUT_CASE or len(raised) != 1 else raised


def make_challenge(negotiate: Negotiate, name: str) -> bytes:
    """Write the CHALLENGE message of the node ``name``.

    Raises:
        LogonFailure: The client offers too little for NTLMv2.
    """
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
    target = TargetInfo()
    target[AvId.nb_domain_name] = name
    target[AvId.nb_computer_name] = name
    target[AvId.dns_domain_name] = name
    target[AvId.dns_computer_name] = name
    target[AvId.timestamp] = FileTime.now()
    version = Version(10, 0, 20348) if flags & NegotiateFlags.version else None
    challenge = Challenge(flags, os.urandom(8), target_name=name, target_info=target, version=version)
    return bytes(challenge.pack())


class NodeNtlm(NTLMProxy):
    """One handshake. ``hardening`` is the node's CbtHardeningLevel."""

    def __init__(
        self,
        accounts: Accounts,
        channel: Channel,
        hardening: str,
        challenge: MakeChallenge = make_challenge,
    ) -> None:
        # The accepting constructor insists on the process-wide file, so the initiating one is used and turned.
        super().__init__(NTLMHash(username="nobody", nt_hash="00" * 16), usage="initiate")
        self.usage = "accept"
        self._accounts = accounts
        self._channel = channel
        self._hardening = hardening
        self._make_challenge = challenge
        self._heard = b""
        self._said = b""
        self.identity: Identity | None = None

    def new_context(self) -> NodeNtlm:
        """See ``ContextProxy``."""
        return NodeNtlm(self._accounts, self._channel, self._hardening, self._make_challenge)

    def _step_accept_negotiate(self, token: bytes) -> bytes:
        self._temp_negotiate = Negotiate.unpack(token)
        self._heard = token
        self._said = self._make_challenge(self._temp_negotiate, self._accounts.computer_name)
        return self._said

    def _step_accept_authenticate(self, token: bytes, channel_bindings: Any) -> None:
        del channel_bindings  # known from the start
        auth = Authenticate.unpack(token)
        key, has_mic = self._verify(auth, Challenge.unpack(self._said))
        if auth.flags & NegotiateFlags.key_exch and auth.flags & (NegotiateFlags.sign | NegotiateFlags.seal):
            key = rc4k(key, auth.encrypted_random_session_key or b"")
        if has_mic:
            without = token[: _MIC.start] + _NO_MIC + token[_MIC.stop :]
            actual = hmac.digest(key, self._heard + self._said + without, "md5")
            if not hmac.compare_digest(actual, token[_MIC]):
                raise LogonFailure("the message integrity code is wrong", NtStatus.INVALID_TOKEN)
        self._session_key = key
        self._context_attr = auth.flags
        self._complete = True

    def _verify(self, auth: Authenticate, challenge: Challenge) -> tuple[bytes, bool]:
        """Check user and response; return the key exchange key, and whether the client sent a MIC."""
        response = auth.nt_challenge_response or b""
        user = auth.user_name or ""
        if len(response) <= _NTLM_V1_RESPONSE_BYTES:
            raise LogonFailure("not NTLMv2")
        client = NTClientChallengeV2.unpack(response[_PROOF_BYTES:])
        keys: list[bytes] = []

        def fits(nt_hash: bytes) -> bool:
            name = (upper(user) + (auth.domain_name or "")).encode("utf-16-le", "surrogatepass")
            key = hmac.digest(nt_hash, name, "md5")
            # Over the bytes as they came: a client may say a thing twice.
            expected = hmac.digest(key, challenge.server_challenge + response[_PROOF_BYTES:], "md5")
            keys.append(hmac.digest(key, expected, "md5"))
            return hmac.compare_digest(response[:_PROOF_BYTES], expected)

        identity = self._accounts.log_on(user, fits)
        self._require_binding(client.av_pairs.get(AvId.channel_bindings, _NO_BINDING))
        self.identity = identity
        return keys[-1], bool(client.av_pairs.get(AvId.flags, 0) & AvFlags.mic)

    def _require_binding(self, given: bytes) -> None:
        """Refuse a client that is bound to another TLS channel, or to none where the node insists."""
        if not self._channel.is_tls or self._hardening == "None":
            return
        if given == _NO_BINDING:
            if self._hardening == "Strict":
                raise LogonFailure("no channel binding", NtStatus.BAD_BINDINGS)
            return
        packed = GssChannelBindings(application_data=self._channel.binding).pack()
        if given != hashlib.md5(packed, usedforsecurity=False).digest():
            raise LogonFailure("bound to another channel", NtStatus.BAD_BINDINGS)
