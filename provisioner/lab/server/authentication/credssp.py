"""CredSSP: TLS inside of HTTP, Negotiate inside of TLS, and then the client's password.

The public key of the inner TLS is bound to the proof (hashes with a nonce from version 5 on), so nobody can stand
between. pyspnego speaks the protocol; the accounts and the checking of what was delegated are the node's.

Source: MS-CSSP 3.1.5.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from spnego._credssp import CredSSPProxy, _create_tls_context
from spnego._credssp_structures import TSRequest

from provisioner.lab.server.authentication.accounts import Accounts, bare_name
from provisioner.lab.server.authentication.model import Identity, LogonFailure, NtStatus
from provisioner.lab.server.authentication.negotiate import NodeNegotiate, ProxySeal

#: Versions whose clients understand the reason of a refusal; 5 has the hashes of 6 but not this.
_TELLS_REASON: Final = frozenset({3, 4, 6})
_VERSION: Final = 6


@lru_cache(maxsize=1)
def _tls_context() -> Any:
    """Return the inner TLS, with a key made once per process: nobody verifies it, as MS-CSSP has it."""
    return _create_tls_context("accept")


class CredSspContext(ProxySeal):
    """A ``Context``."""

    def __init__(self, negotiate: NodeNegotiate, accounts: Accounts) -> None:
        super().__init__(
            CredSSPProxy(
                usage="accept", credssp_negotiate_context=negotiate, credssp_tls_context=_tls_context()
            )
        )
        self._accounts = accounts
        self._negotiate = negotiate
        self._identity: Identity | None = None

    @property
    def identity(self) -> Identity | None:
        """See ``Context``."""
        return self._identity

    def step(self, token: bytes) -> bytes:
        """See ``Context``. Only the last token brings the password."""
        try:
            answer = self._proxy.step(token) or b""
        except LogonFailure as failure:
            raise LogonFailure(str(failure), failure.status, self._last_words(failure.status)) from None
        except Exception as problem:  # noqa: BLE001 - a broken token makes the parsers raise all kinds
            raise LogonFailure(type(problem).__name__, NtStatus.INVALID_TOKEN) from None
        if self._proxy.complete:
            self._identity = self._check_delegated()
        return answer

    def _last_words(self, status: NtStatus) -> bytes:
        version = self._proxy.get_extra_info("protocol_version", 0)
        if version not in _TELLS_REASON:
            return b""
        # An NTSTATUS travels as a signed number.
        said: bytes = self._proxy.wrap(TSRequest(_VERSION, error_code=int(status) - 2**32).pack()).data
        return said

    def _check_delegated(self) -> Identity:
        """Return who it is; the password that came must be the one of the account that was proved.

        That of an account of Kerberos cannot be looked up here; its name must be right at least.
        """
        identity = self._negotiate.identity
        given = self._proxy.get_extra_info("client_credential")
        if identity is None or given is None:
            raise LogonFailure("no credential was delegated")
        name = bare_name(str(given.username))
        if identity.user.nt_hash:
            proved = self._accounts.log_on_with_password(name, str(given.password))
            if proved.principal == identity.principal:
                return identity
        elif name.partition("@")[0].casefold() == identity.user.name.partition("@")[0].casefold():
            return identity
        raise LogonFailure("somebody else's credential was delegated")
