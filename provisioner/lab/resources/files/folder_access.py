"""FolderAccess of ProvisionerDsc (class PROV_FolderAccess): a folder and the rights of accounts on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.directory.principals import sid_of
from provisioner.lab.machine.ground.accounts import ADMINISTRATORS, SYSTEM
from provisioner.lab.machine.ground.files import FULL_CONTROL, Acl
from provisioner.lab.machine.ground.files import Rule as AccessRule
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_RULES: Final = (
    Rule("Path", may_be_empty=False, is_mandatory=True),
    Rule("Entries", "strings", is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Exclusive", "boolean"),
)
_ABSOLUTE: Final = re.compile(r"[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+")
_FULL: Final = (SYSTEM, ADMINISTRATORS)
#: What may be asked for, with the text of the rule that it becomes.
_RIGHTS: Final = {
    "FullControl": FULL_CONTROL,
    "Modify": "Modify, Synchronize",
    "ReadAndExecute": "ReadAndExecute, Synchronize",
    "Read": "Read, Synchronize",
    "Write": "Write, Synchronize",
}


class FolderAccess:
    """Stateless. Rules of accounts that are not named are left alone unless it is exclusive."""

    class_name = "PROV_FolderAccess"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: the rules of the folder itself, by SID."""
        path = bind("Get-TargetResource", _RULES[:2], properties)["Path"]
        _check_path(path, context)
        files = context.machine.files
        if not files.is_folder(path):
            return {"Path": path, "Entries": [], "Ensure": "Absent", "Exclusive": None}
        acl = files.acl(path)
        entries = sorted({f"{rule.sid}={rule.rights}" for rule in acl.rules if not rule.is_inherited})
        return {"Path": path, "Entries": entries, "Ensure": "Present", "Exclusive": acl.is_protected}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        path, is_absent = bound["Path"], is_same(bound.get("Ensure", "Present"), "Absent")
        _check_path(path, context)
        wanted = {name: (_sid(name, context), right) for name, right in _entries(bound).items()}
        if not context.machine.files.is_folder(path):
            return is_absent
        acl = context.machine.files.acl(path)
        own = [rule for rule in acl.rules if not rule.is_inherited]
        if is_absent:
            named = {sid for sid, _ in wanted.values()}
            return not any(rule.sid in named for rule in own)
        if any(sid is None or not _has(own, sid, right) for sid, right in wanted.values()):
            return False
        return not bound.get("Exclusive") or _is_exclusive(acl, {sid for sid, _ in wanted.values() if sid})

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the folder, then all rules in one write."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path, entries = bound["Path"], _entries(bound)
        _check_path(path, context)
        files = context.machine.files
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if files.is_folder(path):
                named = {_sid(name, context) for name in entries}
                _write(path, [rule for rule in _own(path, context) if rule.sid not in named], context)
            return
        sids = _sids(entries, path, context)
        wanted = [AccessRule(sids[name], right) for name, right in entries.items()]
        await context.sleep(context.machine.durations.other_s)
        if not files.is_folder(path):
            with calling("New-Folder"):
                files.attempt("New-Folder")
                files.make_folder(path)
        named = {rule.sid for rule in wanted}
        if bound.get("Exclusive"):
            kept = [AccessRule(sid, FULL_CONTROL) for sid in _FULL if sid not in named]
            _write(path, [*kept, *wanted], context, is_protected=True)
        else:
            kept = [rule for rule in _own(path, context) if rule.sid not in named]
            _write(path, [*kept, *wanted], context)
        own = _own(path, context)
        for rule in wanted:
            if not _has(own, rule.sid, rule.rights):
                raise resource_error(
                    f"'{rule.sid}' was given {rule.rights} on the folder '{path}', but has other rights.",
                    "RightsNotApplied",
                    "InvalidResult",
                )


def _check_path(path: str, context: ResourceContext) -> None:
    if not _ABSOLUTE.match(path):
        raise resource_error(
            f"The path '{path}' starts with neither a drive, as in C:\\, nor a share.",
            "PathNotAbsolute",
            "InvalidArgument",
        )
    if context.machine.files.is_file(path):
        raise resource_error(f"The path '{path}' is a file, not a folder.", "PathIsFile", "InvalidArgument")


def _entries(bound: Mapping[str, Any]) -> dict[str, str]:
    """Read the entries: the text of the rule by account."""
    found: dict[str, str] = {}
    known = {name.casefold(): text for name, text in _RIGHTS.items()}
    for text in bound["Entries"] or ():
        identity, _, right = (part.strip() for part in str(text).rpartition("="))
        if not identity or right.casefold() not in known:
            raise resource_error(
                f"'{text}' is not of the form account=right, with one of the rights {', '.join(_RIGHTS)}.",
                "EntryMalformed",
                "InvalidArgument",
            )
        if any(is_same(identity, name) for name in found):
            raise resource_error(
                f"'{identity}' stands twice among the entries of the folder '{bound['Path']}'.",
                "EntryTwice",
                "InvalidArgument",
            )
        found[identity] = known[right.casefold()]
    return found


def _sid(name: str, context: ResourceContext) -> str | None:
    try:
        return sid_of(context.machine, name)
    except MachineError:
        return None


def _sids(names: Iterable[str], path: str, context: ResourceContext) -> dict[str, str]:
    """Give the SID of each account; two names of one account are an error."""
    found: dict[str, str] = {}
    for name in names:
        sid = _known_sid(name, path, context)
        for other, known in found.items():
            if known == sid:
                raise resource_error(
                    f"'{other}' and '{name}' are one account, which stands twice among the entries of the folder "
                    f"'{path}'.",
                    "EntryTwice",
                    "InvalidArgument",
                )
        found[name] = sid
    return found


def _known_sid(name: str, path: str, context: ResourceContext) -> str:
    sid = _sid(name, context)
    if sid is None:
        raise resource_error(
            f"No account is named '{name}', to have rights on the folder '{path}'.",
            "IdentityNotMapped",
            "ObjectNotFound",
        )
    return sid


def _own(path: str, context: ResourceContext) -> list[AccessRule]:
    return [rule for rule in context.machine.files.acl(path).rules if not rule.is_inherited]


def _has(rules: list[AccessRule], sid: str, right: str) -> bool:
    return [rule.rights for rule in rules if rule.sid == sid] == [right]


def _is_exclusive(acl: Acl, named: set[str]) -> bool:
    own = [rule for rule in acl.rules if not rule.is_inherited]
    return (
        acl.is_protected
        and all(sid in named or _has(own, sid, FULL_CONTROL) for sid in _FULL)
        and all(rule.sid in named or rule.sid in _FULL for rule in own)
    )


def _write(
    path: str, rules: list[AccessRule], context: ResourceContext, *, is_protected: bool | None = None
) -> None:
    files = context.machine.files
    acl = files.acl(path)
    with calling("Write-FolderSecurity"):
        files.attempt("Write-FolderSecurity")
        files.set_acl(
            path, Acl(acl.owner, acl.is_protected if is_protected is None else is_protected, tuple(rules))
        )
