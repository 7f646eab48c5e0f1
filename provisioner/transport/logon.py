"""How we prove who we are to a node: what the inventory asks for, and what can be had here.

``auto`` takes the strongest way there is: a client certificate where one is given, Kerberos for an account with a
realm, NTLM last. Basic and CredSSP, which hand the password over, are only ever asked for by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from provisioner.addresses import Logon, Scheme, is_ip_address
from provisioner.errors import AuthenticationError, UsageError

if TYPE_CHECKING:
    from provisioner.addresses import Endpoint
    from provisioner.secrets.model import Secret

#: The service of a principal when the inventory names none; WinRM registers it for every computer of a domain.
_SERVICE: Final = "WSMAN"
_INSTALL_KERBEROS: Final = (
    "Install it with: pip install 'provisioner[kerberos]' (needs libkrb5-dev and a compiler)."
)
_INSTALL_CREDSSP: Final = "Install it: pip install 'provisioner[credssp]'."
_NO_TICKET: Final = "Get one with 'kinit USER@REALM', or give 'user: USER@REALM' and 'password:'."


@dataclass(frozen=True, slots=True)
class Way:
    """What was chosen. ``auth`` is pypsrp's word for it; ``host`` and ``service`` name the node to Kerberos."""

    auth: str
    user: str | None
    service: str = _SERVICE
    host: str | None = None

    @property
    def is_of_connection(self) -> bool:
        """Whether a proof holds for the connection it was made on, not for one request."""
        return self.auth not in {"basic", "certificate"}


def choose(node: str, endpoint: Endpoint, user: str, password: Secret | None, logon: Logon) -> Way:
    """Choose how to log on. May look for a ticket in the cache of this account, which is a file.

    Raises:
        AuthenticationError: There is neither a ticket nor a password.
        UsageError: What the inventory asks for needs a package that is not installed.
    """
    service, _, host = logon.service_principal.partition("/")
    scheme = _chosen(endpoint, user, password, logon) if logon.scheme is Scheme.AUTO else logon.scheme
    if scheme is Scheme.KERBEROS:
        _require("gssapi", "Kerberos", _INSTALL_KERBEROS)
        if password is None and not has_ticket(user):
            raise AuthenticationError(node, str(endpoint), "there is no Kerberos ticket", _NO_TICKET)
    if scheme is Scheme.CREDSSP:
        _require("requests_credssp", "CredSSP", _INSTALL_CREDSSP)
    return Way(scheme.value, user or None, service or _SERVICE, host or None)


def _chosen(endpoint: Endpoint, user: str, password: Secret | None, logon: Logon) -> Scheme:
    if logon.client_certificate:
        return Scheme.CERTIFICATE
    is_of_realm = "@" in user or not user
    is_named = bool(logon.service_principal) or not is_ip_address(endpoint.host)
    if password is None:
        return Scheme.KERBEROS
    return Scheme.KERBEROS if is_of_realm and is_named and find_spec("gssapi") else Scheme.NTLM


def has_ticket(user: str) -> bool:
    """Tell whether the cache holds a ticket that is still good, of ``user`` or, if empty, of anybody."""
    gssapi = import_module("gssapi")
    try:
        name = gssapi.Name(user, gssapi.NameType.user) if user else None
        found = gssapi.Credentials(name=name, usage="initiate", mechs=[gssapi.MechType.kerberos])
        return bool(found.lifetime)
    except gssapi.exceptions.GSSError:
        return False


def _require(module: str, what: str, help: str) -> None:
    if find_spec(module) is None:
        raise UsageError(f"{what} needs the Python package '{module}', which is not installed.", help)
