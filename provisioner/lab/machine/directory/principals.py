"""Names of accounts as Windows shows them, whichever authority they belong to."""

from __future__ import annotations

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


def _account(domain: Domain, name: str) -> str | None:
    groups = {group for user in domain.users.values() for group in user.groups}
    names = [
        *(user.name for user in domain.users.values()),
        *(item.sam for item in domain.computers.values()),
    ]
    return next((item for item in (*names, *groups, *_GROUPS) if item.casefold() == name.casefold()), None)
