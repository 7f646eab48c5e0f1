"""ConfigurationFile of ProvisionerDsc (class PROV_ConfigurationFile): a text file, exact in bytes and rights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.accounts import ADMINISTRATORS, SYSTEM
from provisioner.lab.machine.files import FULL_CONTROL, Acl, parent_of
from provisioner.lab.machine.files import Rule as AccessRule
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, invalid_argument, is_same

_RULES = (
    Rule("Path", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Contents"),
    Rule("LineEnding", allowed=("CRLF", "LF")),
    Rule("ReadAccess", "strings"),
)
_READ = "Read, Synchronize"


class ConfigurationFile:
    """Stateless. Contents are UTF-8 without BOM; unbound ReadAccess leaves rights alone."""

    class_name = "PROV_ConfigurationFile"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        files = context.machine.files
        path = bound["Path"]
        if not files.is_file(path):
            return {"Path": path, "Ensure": "Absent"}
        data = files.read(path)
        accounts = context.machine.accounts
        readers = [accounts.name(rule.sid) for rule in files.acl(path).rules if rule.rights == _READ]
        return {
            "Path": path,
            "Ensure": "Present",
            "Contents": data.decode(errors="replace"),
            "LineEnding": "CRLF" if b"\r\n" in data else "LF",
            "ReadAccess": readers,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: compares bytes, and rights when ReadAccess is bound."""
        bound = bind("Test-TargetResource", _RULES, properties)
        files = context.machine.files
        path = bound["Path"]
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return not files.is_file(path)
        wanted = _rights(bound, context)
        if not files.is_file(path) or files.read(path) != _content(bound):
            return False
        return wanted is None or _same_rights(files.acl(path), wanted)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: a temporary file beside the old one, protected while empty, takes its place."""
        bound = bind("Set-TargetResource", _RULES, properties)
        files = context.machine.files
        path = bound["Path"]
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            files.remove(path)
            return
        rights = _rights(bound, context)
        data = _content(bound)
        with calling("Set-TargetResource"):
            if files.is_folder(path):
                raise invalid_argument(f"The path '{path}' is a folder.", "Path")
            old = files.find(path)
            temporary = f"{parent_of(path)}\\.provisioner.tmp"
            files.write(temporary, b"", rights if rights is not None else old.acl if old else None)
            files.write(temporary, data)
            files.replace(temporary, path)
        if rights is not None and not _same_rights(files.acl(path), rights):
            raise ResourceError(
                f"The rights of '{path}' are not as they were set.",
                "AccessRightsNotSet,Set-TargetResource",
                "InvalidResult",
                "System.InvalidOperationException",
            )


def _content(bound: Mapping[str, Any]) -> bytes:
    text = (bound.get("Contents") or "").replace("\r\n", "\n")
    if is_same(bound.get("LineEnding", "CRLF"), "CRLF"):
        text = text.replace("\n", "\r\n")
    return str(text).encode()


def _rights(bound: Mapping[str, Any], context: ResourceContext) -> Acl | None:
    """Give the wanted rights; None when nothing is said about them."""
    if bound.get("ReadAccess") is None:
        return None
    with calling(""):
        readers = [context.machine.accounts.sid(name) for name in bound["ReadAccess"]]
    full = (SYSTEM, ADMINISTRATORS)
    rules = [AccessRule(sid, FULL_CONTROL) for sid in full]
    rules.extend(AccessRule(sid, _READ) for sid in dict.fromkeys(readers) if sid not in full)
    return Acl(SYSTEM, is_protected=True, rules=tuple(rules))


def _same_rights(actual: Acl, wanted: Acl) -> bool:
    return actual.is_protected and {(rule.sid, rule.rights) for rule in actual.rules} == {
        (rule.sid, rule.rights) for rule in wanted.rules
    }
