"""Negotiate and Kerberos, the schemes: SPNEGO around NTLM or Kerberos, or either of the two as it is.

Source: MS-SPNG; RFC 4178; RFC 4559 for the HTTP side.
"""

from __future__ import annotations

from typing import Any

from spnego._context import ContextProxy, GSSMech
from spnego._negotiate import NegotiateProxy

from provisioner.lab.server.authentication.model import Identity, LogonFailure, NtStatus


class NodeNegotiate(NegotiateProxy):
    """SPNEGO with the mechanisms of one node, whatever this machine has."""

    def __init__(self, mechanisms: dict[GSSMech, ContextProxy]) -> None:
        self._own = mechanisms
        super().__init__(protocol="negotiate", usage="accept", _negotiate_contexts=dict(mechanisms))

    def new_context(self) -> NodeNegotiate:
        """See ``ContextProxy``."""
        return NodeNegotiate({name: context.new_context() for name, context in self._own.items()})

    def _preferred_mech_list(self) -> list[GSSMech]:
        return list(self._context_list) or list(self._own)

    def _rebuild_context_list(self, mech_types: Any = None, channel_bindings: Any = None) -> list[str]:
        """Take the mechanisms both sides have, in the client's order, as Windows does."""
        del channel_bindings  # the mechanisms know their channel
        offered = mech_types or [mechanism.value for mechanism in self._own]
        common = {
            mechanism: (self._own[mechanism], None)
            for oid in offered
            for mechanism in self._own
            if self._is_same_mech(mechanism, oid)
        }
        if not common:
            raise LogonFailure("no mechanism in common", NtStatus.INVALID_TOKEN)
        self._context_list = dict(common)
        return [mechanism.value for mechanism in common]

    def _step_spnego_input(
        self, in_token: bytes | None = None, channel_bindings: Any = None
    ) -> tuple[bytes | None, bytes | None, bool]:
        is_first = not self._context_list
        token, mic, is_spnego = super()._step_spnego_input(in_token, channel_bindings)
        if is_first and is_spnego and not self._is_same_mech(self._chosen_mech, self._mech_list[0]):
            # The token is one of the client's favourite, which this node does not have: it will send another.
            token = None
        elif not is_first and not token and not mic:
            raise LogonFailure("nothing is in the token", NtStatus.INVALID_TOKEN)
        return token, mic, is_spnego

    @property
    def identity(self) -> Identity | None:
        """Who it is, once all is said."""
        if not self.complete:
            return None
        found: Identity | None = getattr(self._context, "identity", None)
        return found


class ProxySeal:
    """How a ``Context`` seals what goes with WinRM's messages: as what pyspnego calls a proxy does."""

    def __init__(self, proxy: Any) -> None:
        self._proxy = proxy

    def wrap(self, message: bytes) -> tuple[bytes, bytes]:
        """See ``Context``."""
        sealed = self._proxy.wrap_winrm(message)
        return sealed.header, sealed.data

    def unwrap(self, signature: bytes, ciphertext: bytes) -> bytes:
        """See ``Context``."""
        try:
            return bytes(self._proxy.unwrap_winrm(signature, ciphertext))
        except Exception as problem:  # noqa: BLE001 - the libraries do not say what they raise
            raise LogonFailure(f"a message cannot be decrypted: {type(problem).__name__}") from None


class NegotiateContext(ProxySeal):
    """A ``Context`` of a proxy: Negotiate as a whole or one mechanism alone."""

    @property
    def identity(self) -> Identity | None:
        """See ``Context``."""
        return self._proxy.identity if self._proxy.complete else None

    def step(self, token: bytes) -> bytes:
        """See ``Context``."""
        try:
            return self._proxy.step(token) or b""
        except LogonFailure:
            raise
        except Exception as problem:  # noqa: BLE001 - a broken token makes the parsers raise all kinds
            raise LogonFailure(type(problem).__name__, NtStatus.INVALID_TOKEN) from None
