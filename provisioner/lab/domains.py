"""The ``lab:`` setting ``domains``: what Active Directory the nodes of a lab share.

Values and their reader only; the directory itself is an area of the lab's world. Passwords are references until
whoever reads the inventory puts NT hashes in their place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from provisioner.lab import trees
from provisioner.lab.logon import reference


@dataclass(frozen=True, slots=True)
class DomainUserSpec:
    """An account of a domain; ``nt_hash`` is made of what ``password`` points to."""

    name: str
    password: str = ""
    groups: tuple[str, ...] = ()
    nt_hash: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class DomainSpec:
    """One domain. ``controllers`` are computer names; one that is no node of the lab is always reachable.

    ``organizational_units`` and ``computers_container`` are distinguished names.
    """

    name: str
    netbios_name: str = ""
    controllers: tuple[str, ...] = ("dc1",)
    users: tuple[DomainUserSpec, ...] = ()
    organizational_units: tuple[str, ...] = ()
    computers_container: str = ""

    @property
    def short_name(self) -> str:
        """The name before Windows 2000: given, or the first label in capitals."""
        return self.netbios_name or self.name.partition(".")[0].upper()

    def resolved(self, nt_hash_of: Callable[[str], bytes]) -> DomainSpec:
        """Put hashes in the place of references to passwords."""
        users = tuple(
            dataclasses.replace(user, nt_hash=nt_hash_of(user.password) if user.password else b"")
            for user in self.users
        )
        return dataclasses.replace(self, users=users)


_USER: Final = trees.record(
    DomainUserSpec,
    {"name": trees.text, "password": reference, "groups": trees.list_of(trees.text, or_one=True)},
    ["name"],
)

#: Reader of the setting, to stand among those of ``lab.spec``.
DOMAINS: Final[trees.Reader] = trees.list_of(
    trees.record(
        DomainSpec,
        {
            "name": trees.text,
            "netbios_name": trees.text,
            "controllers": trees.list_of(trees.text, or_one=True),
            "users": trees.list_of(_USER),
            "organizational_units": trees.list_of(trees.text, or_one=True),
            "computers_container": trees.text,
        },
        ["name"],
    )
)
