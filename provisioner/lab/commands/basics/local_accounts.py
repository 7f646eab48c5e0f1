"""Get-LocalUser, Get-LocalGroup and Get-LocalGroupMember."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import TypeVar

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.basics.local_accounts import Group, LocalAccounts, User
from provisioner.lab.machine.directory.principals import name_of
from provisioner.lab.values import EnumValue, ErrorRecord, PsObject

_NAMESPACE = "Microsoft.PowerShell.Commands."
_PRINCIPAL = ("Microsoft.PowerShell.Commands.LocalPrincipal", "System.Object")
_Kind = TypeVar("_Kind", User, Group)
_LOCAL = EnumValue(f"{_NAMESPACE}PrincipalSource", "Local", 1)


async def users(invocation: Invocation) -> None:
    """Write the users of a name, a SID, or all of them."""
    found = invocation.node.machine.area(LocalAccounts).users()
    for user in _chosen(found, "User", invocation):
        invocation.output.write(_user(user, invocation))


async def groups(invocation: Invocation) -> None:
    """Write the groups of a name, a SID, or all of them."""
    found = invocation.node.machine.area(LocalAccounts).groups()
    for group in _chosen(found, "Group", invocation):
        invocation.output.write(_group(group))


async def members(invocation: Invocation) -> None:
    """Write the members of a group; one whose SID is nobody's fails the whole command, as on Windows."""
    machine = invocation.node.machine
    wanted = str(
        invocation.parameters.get("Name")
        or invocation.parameters.get("SID")
        or _name(invocation.parameters.get("Group"))
    )
    group = machine.area(LocalAccounts).group(wanted)
    if group is None:
        invocation.output.error(
            _missing("Group", wanted, "GetLocalGroupMemberCommand", "Get-LocalGroupMember")
        )
        return
    for sid in group.members:
        name = name_of(machine, sid)
        if name == sid:
            invocation.output.error(
                ErrorRecord(
                    "Failed to compare two elements in the array.",
                    f"An unspecified error occurred.,{_NAMESPACE}GetLocalGroupMemberCommand",
                    "NotSpecified",
                    "System.InvalidOperationException",
                    "Get-LocalGroupMember",
                )
            )
            return
        is_group = machine.area(LocalAccounts).group(sid) is not None
        invocation.output.write(
            PsObject(
                _PRINCIPAL,
                {
                    "Name": name,
                    "SID": _sid(sid),
                    "PrincipalSource": _LOCAL,
                    "ObjectClass": "Group" if is_group else "User",
                },
                text=name,
            )
        )


def _chosen(found: Sequence[_Kind], kind: str, invocation: Invocation) -> list[_Kind]:
    asked = [*texts(invocation.parameters.get("Name")), *texts(invocation.parameters.get("SID"))]
    if not asked:
        return list(found)
    chosen: list[_Kind] = []
    for wanted in asked:
        matches = [
            item
            for item in found
            if fnmatch.fnmatchcase(item.name.casefold(), wanted.casefold()) or item.sid == wanted
        ]
        if not matches and not any(char in wanted for char in "*?["):
            invocation.output.error(_missing(kind, wanted, f"GetLocal{kind}Command", f"Get-Local{kind}"))
        chosen += matches
    return chosen


def _missing(kind: str, name: str, command: str, activity: str) -> ErrorRecord:
    return ErrorRecord(
        f"{kind} {name} was not found.",
        f"{kind}NotFound,{_NAMESPACE}{command}",
        "ObjectNotFound",
        f"{_NAMESPACE}{kind}NotFoundException",
        activity,
        name,
    )


def _name(item: object) -> object:
    return item.properties.get("Name") if isinstance(item, PsObject) else item


def _sid(sid: str) -> PsObject:
    return PsObject(
        (
            "System.Security.Principal.SecurityIdentifier",
            "System.Security.Principal.IdentityReference",
            "System.Object",
        ),
        {"Value": sid, "AccountDomainSid": None},
        text=sid,
    )


def _user(user: User, invocation: Invocation) -> PsObject:
    return PsObject(
        (f"{_NAMESPACE}LocalUser", *_PRINCIPAL),
        {
            "AccountExpires": None,
            "Description": user.description,
            "Enabled": not user.is_disabled,
            "FullName": user.full_name,
            "PasswordChangeableDate": None,
            "PasswordExpires": None,
            "UserMayChangePassword": not user.cannot_change,
            "PasswordRequired": True,
            "PasswordLastSet": invocation.node.machine.boot_time if user.password else None,
            "LastLogon": None,
            "Name": user.name,
            "SID": _sid(user.sid),
            "PrincipalSource": _LOCAL,
            "ObjectClass": "User",
        },
        text=user.name,
    )


def _group(group: Group) -> PsObject:
    return PsObject(
        (f"{_NAMESPACE}LocalGroup", *_PRINCIPAL),
        {
            "Description": group.description,
            "Name": group.name,
            "SID": _sid(group.sid),
            "PrincipalSource": _LOCAL,
            "ObjectClass": "Group",
        },
        text=group.name,
    )
