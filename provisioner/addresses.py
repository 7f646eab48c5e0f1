"""How things are named. Pure values, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import NewType

#: Name of a node as the inventory spells it. Compared exactly; unique in one inventory.
NodeName = NewType("NodeName", str)
#: Name of a role: the name of its folder.
RoleName = NewType("RoleName", str)

_RESOURCE_ID = re.compile(
    r"\[(?P<type>[A-Za-z]\w*)\](?P<name>.+?)(?:::(?P<within>\[[A-Za-z]\w*\].+))?", re.DOTALL
)


def is_ip_address(text: str) -> bool:
    """Tell an address of IPv4 or IPv6, without brackets or prefix length, from a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class ResourceId:
    """``[Type]Name`` of one declared resource; the LCM matches it without regard to case.

    ``within`` is the composite it came from, ``[Composite]outer``, innermost first and joined with ``::``;
    the text is then ``[Type]Name::[Composite]outer``. Source: mof-format, section 3.1.
    """

    type: str
    name: str
    within: str = ""

    def __str__(self) -> str:
        return f"[{self.type}]{self.name}" + (f"::{self.within}" if self.within else "")

    @property
    def folded(self) -> tuple[str, str, str]:
        """Key for case-insensitive look-ups."""
        return self.type.casefold(), self.name.casefold(), self.within.casefold()

    @classmethod
    def parse(cls, text: str) -> ResourceId | None:
        """Read ``[Type]Name`` or ``[Type]Name::[Composite]outer``; None when the text has another form."""
        found = _RESOURCE_ID.fullmatch(text.strip())
        return cls(found["type"], found["name"], found["within"] or "") if found else None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address and session configuration of one node.

    ``path`` is the URL path without a leading slash; ``configuration_name`` the PowerShell session
    configuration (MS-PSRP resource URI suffix).
    """

    host: str
    port: int
    tls: bool = False
    path: str = "wsman"
    configuration_name: str = "Microsoft.PowerShell"

    def __str__(self) -> str:
        scheme = "https" if self.tls else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{self.path}"


class Scheme(Enum):
    """Ways to prove who one is to a node."""

    AUTO = "auto"
    KERBEROS = "kerberos"
    CERTIFICATE = "certificate"
    NEGOTIATE = "negotiate"  #: Kerberos or NTLM, as the node and this machine agree
    NTLM = "ntlm"
    BASIC = "basic"
    CREDSSP = "credssp"


@dataclass(frozen=True, slots=True)
class Logon:
    """How to log on to a node, and whom to trust.

    The paths name PEM files: ``ca_certificates`` those of the authorities that may have issued the node's
    certificate (empty: the system's), ``client_certificate`` and ``client_key`` our own, the key empty when it
    stands in the same file. ``service_principal`` is ``SERVICE/HOST`` for Kerberos, empty for ``WSMAN`` and the
    node's address.
    """

    scheme: Scheme = Scheme.AUTO
    ca_certificates: str = ""
    client_certificate: str = ""
    client_key: str = ""
    service_principal: str = ""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret lives, never the secret: ``env:NAME`` or ``file:PATH``.

    ``encodings`` are asked for behind bars, ``env:NAME|url|oslo``, and are applied to the secret in that order;
    what each word means is the business of ``secrets``.
    """

    store: str
    key: str
    encodings: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "|".join((f"{self.store}:{self.key}", *self.encodings))

    @classmethod
    def parse(cls, text: str) -> SecretRef | None:
        """Read ``store:key`` with optional ``|encoding``; None when the text has another form."""
        store, colon, rest = text.partition(":")
        key, *encodings = (part.strip() for part in rest.split("|"))
        is_form = colon and key and store.isidentifier() and all(encodings)
        return cls(store, key, tuple(encodings)) if is_form else None
