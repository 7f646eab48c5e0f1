"""Kerberos for one node: accepts tickets for the keys in the node's own keytab.

The Python packages and the system's library are looked for when a node with a keytab is met, not before.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from spnego._gss import GSSAPIProxy
from spnego.channel_bindings import GssChannelBindings

from provisioner.lab.control import LabError
from provisioner.lab.logon import KerberosSpec, LogonSpec
from provisioner.lab.server.authentication.model import Identity, LogonFailure, NtStatus
from provisioner.lab.server.tls import Channel

#: GSS_C_CHANNEL_BOUND_FLAG: the client sent a channel binding and it was ours. Source: gssapi_ext.h of MIT krb5.
_CHANNEL_BOUND: Final = 2048


@lru_cache(maxsize=4096)
def credential(keytab: str) -> Any:
    """Return the accepting credential of a keytab.

    Raises:
        LabError: The Python packages are missing, or the keytab cannot be used.
    """
    try:
        gssapi = import_module("gssapi")
        import_module("krb5")
    except ImportError as problem:
        raise LabError(
            f"Kerberos needs a Python package that is not here ({problem.name})",
            "Install 'provisioner[kerberos]'; it needs libkrb5-dev and a compiler.",
        ) from None
    mechanism = gssapi.MechType.kerberos
    try:
        return gssapi.Credentials(usage="accept", mechs=[mechanism], store={"keytab": f"FILE:{keytab}"})
    except gssapi.exceptions.GSSError as problem:
        raise LabError(
            f"the keytab {keytab} cannot be used: {_one_line(problem)}",
            "'kerberos: {keytab: PATH}' names a file with the keys of the node's names, made by 'ktadd'.",
        ) from None


class NodeKerberos(GSSAPIProxy):
    """One handshake. ``hardening`` is the node's CbtHardeningLevel."""

    def __init__(self, node: Realm, spec: KerberosSpec, channel: Channel, hardening: str) -> None:
        is_checked = channel.is_tls and hardening != "None"
        super().__init__(
            usage="accept",
            protocol="kerberos",
            channel_bindings=GssChannelBindings(application_data=channel.binding) if is_checked else None,
            _gssapi_credential=credential(spec.keytab),
        )
        self._node = node
        self._spec = spec
        self._channel = channel
        self._hardening = hardening
        self.identity: Identity | None = None

    def new_context(self) -> NodeKerberos:
        """See ``ContextProxy``."""
        return NodeKerberos(self._node, self._spec, self._channel, self._hardening)

    def step(self, in_token: bytes | None = None, *, channel_bindings: Any = None) -> bytes | None:
        """See ``ContextProxy``."""
        answer: bytes | None = super().step(in_token, channel_bindings=channel_bindings)
        if self.complete:
            self._require_binding()
            self._require_name()
            self.identity = self._node.identify_principal(str(self.client_principal))
        return answer

    def _require_binding(self) -> None:
        # MIT accepts a client without a binding even where the acceptor has one.
        is_strict = self._channel.is_tls and self._hardening == "Strict"
        if is_strict and not self._context_attr & _CHANNEL_BOUND:
            raise LogonFailure("no channel binding", NtStatus.BAD_BINDINGS)

    def _require_name(self) -> None:
        """Refuse a ticket for another host of the same keytab."""
        assert self._context is not None
        wanted = self._spec.hostname.casefold()
        target = str(self._context.target_name).rstrip("\0").partition("@")[0]
        if wanted and target.partition("/")[2].casefold() != wanted:
            raise LogonFailure("a ticket for another host")


class Realm:
    """The accounts of Kerberos as a node knows them."""

    def __init__(self, logon: LogonSpec, computer_name: str, owner: str) -> None:
        self._logon = logon
        self._computer_name = computer_name
        self._owner = owner

    def identify_principal(self, principal: str) -> Identity:
        r"""Return who ``name@REALM`` is here: ``REALM\name``, in the groups that ``users`` gives it.

        Raises:
            LogonFailure: The account is disabled here.
        """
        name, _, realm = principal.rpartition("@")
        shown = f"{realm}\\{name}"
        user = self._logon.user(shown, self._computer_name, self._owner)
        if not user.enabled:
            raise LogonFailure("the account is disabled", NtStatus.ACCOUNT_DISABLED)
        return Identity(shown, user)


def _one_line(problem: BaseException) -> str:
    return " ".join(str(problem).split())[:300]
