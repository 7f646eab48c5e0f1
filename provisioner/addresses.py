"""How things are named. Pure values, no I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

#: Name of a node as the inventory spells it. Compared exactly; unique in one inventory.
NodeName = NewType("NodeName", str)
#: Name of a role: the name of its folder.
RoleName = NewType("RoleName", str)

_RESOURCE_ID = re.compile(r"\[(?P<type>[A-Za-z]\w*)\](?P<name>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ResourceId:
    """``[Type]Name`` of one declared resource; the LCM matches both parts without regard to case.

    Source: mof-format, section 3.1.
    """

    type: str
    name: str

    def __str__(self) -> str:
        return f"[{self.type}]{self.name}"

    @property
    def folded(self) -> tuple[str, str]:
        """Key for case-insensitive look-ups."""
        return self.type.casefold(), self.name.casefold()

    @classmethod
    def parse(cls, text: str) -> ResourceId | None:
        """Read ``[Type]Name``; None when the text has another form."""
        found = _RESOURCE_ID.fullmatch(text.strip())
        return cls(found["type"], found["name"]) if found else None


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


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret lives, never the secret: ``env:NAME`` or ``file:PATH``."""

    store: str
    key: str

    def __str__(self) -> str:
        return f"{self.store}:{self.key}"

    @classmethod
    def parse(cls, text: str) -> SecretRef | None:
        """Read ``store:key``; None when the text has another form."""
        store, colon, key = text.partition(":")
        return cls(store, key) if colon and key and store.isidentifier() else None
