"""Names of accounts as Windows shows them, whichever authority they belong to."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

from provisioner.lab.machine.directory.domains import Directory, Domain
from provisioner.lab.machine.ground.accounts import Accounts
from provisioner.lab.machine.world import World

_GROUPS = ("Domain Admins", "Domain Users", "Domain Computers", "Domain Controllers", "Enterprise Admins")


class _Host(Protocol):
    accounts: Accounts
    world: World[Any]


def shown_name(machine: _Host, name: str) -> str:
    r"""Give ``CONTOSO\name`` for an account of a domain of the lab, else what the machine itself makes of it.

    Raises:
        MachineError: nobody knows the account.
    """
    authority, separator, bare = name.rpartition("\\")
    if separator:
        domain = machine.world.area(Directory).find(authority)
        known = _account(domain, bare) if domain else None
        if domain and known:
            return f"{domain.netbios}\\{known}"
    return machine.accounts.name(machine.accounts.sid(name))


def sid_of(machine: _Host, name: str) -> str:
    """Give the SID of an account of a domain of the lab, else what the machine itself makes of the name.

    Raises:
        MachineError: nobody knows the account (IdentityNotMappedException).
    """
    authority, separator, bare = name.strip().rpartition("\\")
    domain = machine.world.area(Directory).find(authority) if separator else None
    known = _account(domain, bare) if domain else None
    return _domain_sid(domain, known) if domain and known else machine.accounts.sid(name)


def name_of(machine: _Host, sid: str) -> str:
    """Give the name of a SID as Windows shows it; the SID itself when it is nobody's."""
    if sid.startswith("S-1-5-21-"):
        for domain in machine.world.area(Directory).domains():
            for account in _accounts(domain):
                if _domain_sid(domain, account) == sid:
                    return f"{domain.netbios}\\{account}"
    return machine.accounts.name(sid)


def _domain_sid(domain: Domain, account: str) -> str:
    """Make a SID that is the same on every machine: numbers of the domain, then one of the account."""
    digest = hashlib.sha256(domain.name.casefold().encode()).digest()
    parts = "-".join(str(int.from_bytes(digest[at : at + 4], "little")) for at in (0, 4, 8))
    own = hashlib.sha256(account.casefold().encode()).digest()
    return f"S-1-5-21-{parts}-{1000 + int.from_bytes(own[:3], 'little')}"


def _account(domain: Domain, name: str) -> str | None:
    return next((item for item in _accounts(domain) if item.casefold() == name.casefold()), None)


def _accounts(domain: Domain) -> list[str]:
    groups = {group for user in domain.users.values() for group in user.groups}
    return [
        *(user.name for user in domain.users.values()),
        *(item.sam for item in domain.computers.values()),
        *sorted(groups),
        *(group for group in _GROUPS if group not in groups),
    ]
