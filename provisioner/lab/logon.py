"""Who may log on to a simulated node, and how: the ``lab:`` settings that concern users, schemes and HTTPS.

Values and their readers only; the checking is done by ``lab.server.authentication``. Passwords are references
until whoever reads the inventory puts NT hashes in their place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from provisioner import documents
from provisioner.addresses import SecretRef
from provisioner.diagnostics import Diagnostics
from provisioner.lab import trees

ADMINISTRATORS: Final = "Administrators"
REMOTE_MANAGEMENT: Final = "Remote Management Users"

#: Schemes of the WinRM service by the names they have in its settings, in the order in which it offers them.
SCHEMES: Final = ("Negotiate", "Kerberos", "Basic", "CredSSP", "Certificate")
#: What Windows Server has switched on.
DEFAULT_SCHEMES: Final = ("Negotiate", "Kerberos")
CHANNEL_BINDING: Final = ("None", "Relaxed", "Strict")
#: What can be wrong with the certificate of a listener.
CERTIFICATES: Final = ("valid", "expired", "wrong-name", "self-signed")

#: Authority of the accounts under which a JEA endpoint runs its commands: administrators for the time being.
_VIRTUAL: Final = "winrm virtual users"

DEFAULT_HTTPS_PORT: Final = 5986


@dataclass(frozen=True, slots=True)
class UserSpec:
    """An account that may log on.

    ``name`` is the bare name of a local account, or ``name@REALM`` for one of Kerberos. ``password`` is a
    reference (``env:NAME``, ``file:PATH``), ``nt_hash`` the 16 bytes made of what it points to; no password fits
    an account without. ``certificate`` is a file with the client certificate mapped to the account, and
    ``certificate_pem`` its contents; ``ssh_key`` one with the keys it logs on with over SSH, and ``ssh_keys`` its.
    """

    name: str
    password: str = ""
    groups: tuple[str, ...] = ()
    enabled: bool = True
    expired: bool = False
    certificate: str = ""
    ssh_key: str = ""
    nt_hash: bytes = field(default=b"", repr=False)
    certificate_pem: str = field(default="", repr=False)
    ssh_keys: str = field(default="", repr=False)

    @property
    def is_administrator(self) -> bool:
        """Whether the account may do everything."""
        return any(group.casefold() == ADMINISTRATORS.casefold() for group in self.groups)

    @property
    def may_remote(self) -> bool:
        """Whether the account may open a PowerShell session."""
        allowed = {ADMINISTRATORS.casefold(), REMOTE_MANAGEMENT.casefold()}
        return any(group.casefold() in allowed for group in self.groups)


@dataclass(frozen=True, slots=True)
class LockoutSpec:
    """When an account is locked: after ``threshold`` wrong passwords within ``window_s``, for ``duration_s``.

    Threshold 0 never locks, duration 0 locks until an administrator unlocks, as in Windows' account policy.
    Seconds are those of the node's clock.
    """

    threshold: int = 0
    window_s: float = 600.0
    duration_s: float = 600.0


@dataclass(frozen=True, slots=True)
class AuthenticationSpec:
    """What the WinRM service of a node offers and asks for."""

    schemes: tuple[str, ...] = DEFAULT_SCHEMES
    channel_binding: str = "Relaxed"
    allow_unencrypted: bool = False
    lockout: LockoutSpec = field(default_factory=LockoutSpec)


@dataclass(frozen=True, slots=True)
class KerberosSpec:
    """The node's place in a realm: its keytab, and with ``hostname`` the only name in it that is this node's."""

    keytab: str
    hostname: str = ""


@dataclass(frozen=True, slots=True)
class HttpsSpec:
    """A listener for HTTPS. ``certificate`` is one of ``CERTIFICATES``; ``names`` are added to the address."""

    port: int = DEFAULT_HTTPS_PORT
    certificate: str = "valid"
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogonSpec:
    """Everything about logging on to one node. ``users`` come in addition to the account of the connection."""

    users: tuple[UserSpec, ...] = ()
    authentication: AuthenticationSpec = field(default_factory=AuthenticationSpec)
    kerberos: KerberosSpec | None = None
    https: HttpsSpec | None = None
    ssh_port: int | None = None

    def resolved(self, nt_hash_of: Callable[[str], bytes], text_of: Callable[[str], str]) -> LogonSpec:
        """Put hashes in the place of references to passwords, and contents in that of files."""
        users = tuple(
            dataclasses.replace(
                user,
                nt_hash=nt_hash_of(user.password) if user.password else b"",
                certificate_pem=text_of(user.certificate) if user.certificate else "",
                ssh_keys=text_of(user.ssh_key) if user.ssh_key else "",
            )
            for user in self.users
        )
        return dataclasses.replace(self, users=users)

    def user(self, principal: str, computer_name: str, owner: str) -> UserSpec:
        r"""Find the account of ``COMPUTER\name`` or ``REALM\name``.

        ``owner`` is the account of the connection, an administrator unless ``users`` says otherwise; who is in
        neither place is in no group.
        """
        domain, _, name = principal.rpartition("\\")
        if domain.casefold() == _VIRTUAL:
            return UserSpec(name, groups=(ADMINISTRATORS,))
        is_local = domain.casefold() == computer_name.casefold()
        wanted = (name if is_local else f"{name}@{domain}").casefold()
        for user in self.users:
            if user.name.casefold() == wanted:
                return user
        is_owner = wanted == owner.rpartition("\\")[2].casefold()
        return UserSpec(
            name if is_local else f"{name}@{domain}", groups=(ADMINISTRATORS,) if is_owner else ()
        )


def reference(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read where a password is; the password itself has no place in an inventory."""
    found = trees.text(tree, problems)
    if found is trees.BAD or SecretRef.parse(found) is not None:
        return found
    problems.error(
        "Wrong lab setting",
        "A password stands here, or something that points nowhere.",
        tree.where,
        "Write 'env:NAME' for an environment variable or 'file:PATH' for a file beside the inventory.",
    )
    return trees.BAD


_LOCKOUT: Final = trees.record(
    LockoutSpec,
    {"threshold": trees.integer, "window_s": trees.number, "duration_s": trees.number},
    ["threshold"],
)

#: The readers of the settings of this room, to stand among those of ``lab.spec``.
SETTINGS: Final[Mapping[str, trees.Reader]] = MappingProxyType(
    {
        "authentication": trees.record(
            AuthenticationSpec,
            {
                "schemes": trees.list_of(trees.one_of(SCHEMES), or_one=True),
                "channel_binding": trees.one_of(CHANNEL_BINDING),
                "allow_unencrypted": trees.boolean,
                "lockout": _LOCKOUT,
            },
        ),
        "users": trees.list_of(
            trees.record(
                UserSpec,
                {
                    "name": trees.text,
                    "password": reference,
                    "groups": trees.list_of(trees.text, or_one=True),
                    "enabled": trees.boolean,
                    "expired": trees.boolean,
                    "certificate": trees.text,
                    "ssh_key": trees.text,
                },
                ["name"],
            )
        ),
        "kerberos": trees.record(KerberosSpec, {"keytab": trees.text, "hostname": trees.text}, ["keytab"]),
        "https": trees.record(
            HttpsSpec,
            {
                "port": trees.integer,
                "certificate": trees.one_of(CERTIFICATES),
                "names": trees.list_of(trees.text, or_one=True),
            },
        ),
        "ssh_port": trees.integer,
    }
)


def take(settings: dict[str, Any]) -> LogonSpec:
    """Take what concerns logging on out of the settings that were read."""
    return LogonSpec(**{name: settings.pop(name) for name in SETTINGS if name in settings})
