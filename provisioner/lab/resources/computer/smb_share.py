"""SmbShare of ComputerManagementDsc 10 (class DSC_SmbShare)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.shares import Access, Share, Shares
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, is_same
from provisioner.lab.resources.calls import stopping, works, works_silently

_RIGHTS = {"ReadAccess": "Read", "ChangeAccess": "Change", "FullAccess": "Full"}
_LISTS = (*_RIGHTS, "NoAccess")
_KEYS = (Rule("Name", is_mandatory=True), Rule("Path", is_mandatory=True))
_RULES = (
    *_KEYS,
    Rule("Description"),
    Rule("ConcurrentUserLimit", "uint32"),
    Rule("EncryptData", "boolean"),
    Rule("FolderEnumerationMode", allowed=("AccessBased", "Unrestricted")),
    Rule("CachingMode", allowed=("None", "Manual", "Programs", "Documents", "BranchCache")),
    Rule("ContinuouslyAvailable", "boolean"),
    *(Rule(name, "strings") for name in _LISTS),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("ScopeName"),
    Rule("Force", "boolean"),
)
#: Properties of a share by the field that holds them; those before the bar can be set.
_FIELDS = {
    "Description": "description",
    "ConcurrentUserLimit": "concurrent_user_limit",
    "EncryptData": "encrypt_data",
    "FolderEnumerationMode": "folder_enumeration_mode",
    "CachingMode": "caching_mode",
    "ContinuouslyAvailable": "continuously_available",
    "ScopeName": "scope_name",
}
_STATE = {
    "Path": "path",
    "ShareState": "share_state",
    "ShareType": "share_type",
    "ShadowCopy": "shadow_copy",
    "Special": "special",
}
_NOTHING: Mapping[str, Any] = {
    "ConcurrentUserLimit": 0,
    "EncryptData": False,
    "ContinuouslyAvailable": False,
    "ShadowCopy": False,
    "Special": False,
}


class SmbShare:
    """Stateless; a share on another path is only replaced with Force."""

    class_name = "DSC_SmbShare"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _KEYS, properties)
        return _current(bound["Name"], context)

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: what is bound, lists whatever their order."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _check_lists(bound)
        shown = _current(bound["Name"], context)
        wanted = bound.get("Ensure", "Present")
        if not is_same(shown["Ensure"], wanted):
            return False
        if is_same(wanted, "Absent"):
            return True
        return all(_is_equal(shown[name], value) for name, value in bound.items() if name != "Force")

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        _check_lists(bound)
        shares = context.machine.area(Shares)
        shown = _current(bound["Name"], context)
        is_there = shown["Ensure"] == "Present"
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if is_there:
                stopping(context, "Remove-SmbShare", lambda: shares.remove(bound["Name"]))
        elif is_there:
            _update(shown, bound, shares, context)
        else:
            stopping(context, "New-SmbShare", lambda: shares.add(_made(bound)))


def _current(name: str, context: ResourceContext) -> dict[str, Any]:
    """What Get answers; a share that cannot be read is none, and one whose entries cannot be read has none."""
    found = context.machine.area(Shares).find(name) if works_silently(context, "Get-SmbShare") else None
    if found and not works(context, "Get-SmbShareAccess"):
        found = replace(found, access=())
    return _shown(name, found)


def _shown(name: str, share: Share | None) -> dict[str, Any]:
    if share is None:
        empty = {key: _NOTHING.get(key, "") for key in (*_FIELDS, *_STATE)}
        return {"Ensure": "Absent", "Name": name, **empty, **{key: [] for key in _LISTS}}
    values = {key: getattr(share, field) for key, field in {**_FIELDS, **_STATE}.items()}
    lists = {
        key: [item.account for item in share.access if _is_of(item, "Allow", right)]
        for key, right in _RIGHTS.items()
    }
    denied = [item.account for item in share.access if _is_of(item, "Deny", "Full")]
    return {"Ensure": "Present", "Name": share.name, **values, **lists, "NoAccess": denied}


def _is_of(item: Access, control: str, right: str) -> bool:
    return (item.control, item.right) == (control, right)


def _is_equal(shown: Any, wanted: Any) -> bool:
    if isinstance(wanted, list):
        if _is_empty(wanted) and _is_empty(shown):
            return True
        return sorted(map(str.casefold, shown)) == sorted(map(str.casefold, wanted))
    return is_same(shown, wanted)


def _is_empty(accounts: list[str] | None) -> bool:
    """Whether a list counts as false: nothing in it, or a single empty text."""
    return not accounts or accounts == [""]


def _check_lists(bound: Mapping[str, Any]) -> None:
    """Refuse lists that would leave nobody: New-SmbShare would let everyone read then."""
    if all(name in bound and _is_empty(bound[name]) for name in _LISTS):
        raise invalid_argument(
            "Not allowed to have all access permission parameters set to empty collections. Must either remove "
            "the access permission parameters completely from the configuration, or set at least one member to "
            "one of the access permission parameters.",
            "FullAccess, ChangeAccess, ReadAccess, NoAccess",
        )


def _made(bound: Mapping[str, Any]) -> Share:
    """Make a share of what is bound; without any list everyone may read."""
    fields = {field: bound[name] for name, field in _FIELDS.items() if name in bound}
    access = [
        Access(account, "Allow", right)
        for name, right in reversed(_RIGHTS.items())
        for account in _given(bound, name)
    ]
    access += [Access(account, "Deny", "Full") for account in _given(bound, "NoAccess")]
    if access:
        fields["access"] = tuple(access)
    return Share(bound["Name"], bound["Path"], **fields)


def _given(bound: Mapping[str, Any], name: str) -> list[str]:
    accounts: list[str] = bound.get(name) or []
    return [] if _is_empty(accounts) else accounts


def _update(
    shown: Mapping[str, Any], bound: Mapping[str, Any], shares: Shares, context: ResourceContext
) -> None:
    name, path = bound["Name"], bound["Path"]
    is_elsewhere = not is_same(shown["Path"], path) or not is_same(
        shown["ScopeName"], bound.get("ScopeName", "*")
    )
    if is_elsewhere and bound.get("Force"):
        _recreate(name, path, shares, context)
    else:
        context.warning(
            f"The share with name '{name}' exists on path {shown['Path']}, desired state is on path {path}. Set "
            "Force = $true to allow drop and recreate of the share."
        )
    changes = {field: bound[key] for key, field in _FIELDS.items() if key in bound}
    stopping(context, "Set-SmbShare", lambda: shares.change(name, **changes))
    _revoke(name, bound, shares, context)
    _grant(name, bound, shares, context)


def _recreate(name: str, path: str, shares: Shares, context: ResourceContext) -> None:
    try:
        shares.remove(name)
        shares.add(Share(name, path))
    except MachineError as error:
        context.nonterminating.append(
            ResourceError(
                f"Failed to recreate share with name '{name}'. The error was: '{error.message}'.",
                "Microsoft.PowerShell.Commands.WriteErrorException,Set-TargetResource",
                "NotSpecified",
                "Microsoft.PowerShell.Commands.WriteErrorException",
            )
        )


def _access(name: str, shares: Shares, context: ResourceContext) -> tuple[Access, ...]:
    share = shares.find(name) if works(context, "Get-SmbShareAccess") else None
    return share.access if share else ()


def _revoke(name: str, bound: Mapping[str, Any], shares: Shares, context: ResourceContext) -> None:
    """Take the rights of those who are not in a bound list."""
    for item in _access(name, shares, context):
        for key, right in _RIGHTS.items():
            if _is_of(item, "Allow", right) and key in bound and not _has(bound[key], item.account):
                stopping(context, "Revoke-SmbShareAccess", partial(shares.revoke, name, item.account))
        if _is_of(item, "Deny", "Full") and "NoAccess" in bound and not _has(bound["NoAccess"], item.account):
            stopping(context, "Unblock-SmbShareAccess", partial(shares.unblock, name, item.account))


def _grant(name: str, bound: Mapping[str, Any], shares: Shares, context: ResourceContext) -> None:
    """Give what the bound lists want, compared with what was there before the first grant."""
    access = _access(name, shares, context)
    for key, right in _RIGHTS.items():
        there = [item.account for item in access if _is_of(item, "Allow", right)]
        for account in bound.get(key) or ():
            if not _has(there, account):
                stopping(context, "Grant-SmbShareAccess", partial(shares.grant, name, account, right))
    denied = [item.account for item in access if _is_of(item, "Deny", "Full")]
    for account in bound.get("NoAccess") or ():
        if not _has(denied, account):
            stopping(context, "Block-SmbShareAccess", partial(shares.block, name, account))


def _has(accounts: list[str] | None, account: str) -> bool:
    return any(is_same(item, account) for item in accounts or ())
