"""Set-ADComputer: delegation, principal names and texts of a computer object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.directory.domain import computer_of, domain_of
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.directory.domains import Directory, DirectoryComputer

_CMDLET = "Set-ADComputer"
_TYPE = "Microsoft.ActiveDirectory.Management.Commands.SetADComputer"
_TEXTS = ("Description", "Location", "DisplayName", "UserPrincipalName")
_FLAGS = {
    "TrustedForDelegation": "trusted",
    "Enabled": "enabled",
}
#: Attributes that hold several values, by their name in the directory.
_LISTS = {"serviceprincipalname": "spns", "msds-allowedtodelegateto": "delegates_to"}


async def run(invocation: Invocation) -> None:
    """Set what is given; what is removed is removed before anything is added, and replaced last."""
    parameters = invocation.parameters
    domain = domain_of(invocation, _CMDLET, _TYPE)
    found = computer_of(invocation, domain, _CMDLET, _TYPE)
    changes: dict[str, Any] = {
        field: bool(parameters[name]) for name, field in _FLAGS.items() if name in parameters
    }
    if "PrincipalsAllowedToDelegateToAccount" in parameters:
        changes["principals"] = tuple(texts(parameters["PrincipalsAllowedToDelegateToAccount"]))
    given = {name: str(parameters[name]) for name in _TEXTS if name in parameters}
    changed = replace(found, attributes={**found.attributes, **given}, **changes)
    for name in ("Remove", "Add", "Replace"):
        table = parameters.get(name)
        if isinstance(table, Mapping):
            changed = _edited(changed, name, table)
    invocation.node.machine.world.area(Directory).put_computer(domain, changed)


def _edited(computer: DirectoryComputer, how: str, table: Mapping[str, Any]) -> DirectoryComputer:
    for attribute, value in table.items():
        field = _LISTS.get(str(attribute).casefold())
        if field is None:
            computer = replace(computer, attributes={**computer.attributes, str(attribute): value})
            continue
        values = texts(value)
        old = list(getattr(computer, field))
        gone = {item.casefold() for item in values}
        kept = [item for item in old if item.casefold() not in gone]
        new = {"Add": kept + values, "Remove": kept, "Replace": values}[how]
        edited: dict[str, Any] = {field: tuple(new)}
        computer = replace(computer, **edited)
    return computer
