"""ConfigurationFile of ProvisionerDsc (class PROV_ConfigurationFile): a text file, exact in bytes and readers.

Secrets are filled in as the module's own page describes; no message holds one, nor any part of the text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.directory.principals import sid_of
from provisioner.lab.machine.ground.accounts import ADMINISTRATORS, SYSTEM
from provisioner.lab.machine.ground.files import FULL_CONTROL, Acl, parent_of
from provisioner.lab.machine.ground.files import Rule as AccessRule
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, calling, is_same, resource_error

_RULES = (
    Rule("Path", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Contents"),
    Rule("LineEnding", allowed=("CRLF", "LF")),
    Rule("ReadAccess", "strings"),
    Rule("Secrets", "any"),
)
_GET_RULES = tuple(rule for rule in _RULES if rule.name in {"Path", "Contents", "LineEnding", "Secrets"})
_PLACEHOLDER = "@{secret:"
_SECRET_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_ENCRYPTED = "-----begin cms-----"
_READ = "Read, Synchronize"
_FULL = (SYSTEM, ADMINISTRATORS)
_ABSOLUTE = re.compile(r"[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\")
_TEMPORARY_SUFFIX = ".provisioner-new"


class ConfigurationFile:
    """Stateless. Contents are UTF-8 without byte order mark; without ReadAccess rights are left alone."""

    class_name = "PROV_ConfigurationFile"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; ReadAccess gives SIDs, Contents the text asked for, if it is what the file holds."""
        bound = bind("Get-TargetResource", _GET_RULES, properties)
        path = bound["Path"]
        _check_path(path, context)
        files = context.machine.files
        empty = {"Contents": None, "LineEnding": None, "ReadAccess": None, "Secrets": None}
        if not files.is_file(path):
            return {"Path": path, "Ensure": "Absent", **empty}
        data = files.read(path)
        ending = "CRLF" if b"\r\n" in data else "LF" if b"\n" in data else None
        readers = sorted({rule.sid for rule in files.acl(path).rules} - set(_FULL))
        is_wanted = "Contents" in bound and _content(bound) == data
        return {
            "Path": path,
            "Ensure": "Present",
            "Contents": bound["Contents"] if is_wanted else None,
            "LineEnding": ending,
            "ReadAccess": readers,
            "Secrets": None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: compares bytes, and rights when ReadAccess is bound."""
        bound = bind("Test-TargetResource", _RULES, properties)
        path = bound["Path"]
        _check_path(path, context)
        files = context.machine.files
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return not files.is_file(path)
        _demand_contents(bound)
        desired = _content(bound)
        if not files.is_file(path) or files.read(path) != desired:
            return False
        try:
            wanted = _rights(bound, context)
        except ResourceError:
            # The account may be made by a resource this one depends on, so Set is the one to complain.
            return False
        return wanted is None or _is_same_acl(files.acl(path), wanted)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: a new file beside the old one, protected from the start, takes its place."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path = bound["Path"]
        _check_path(path, context)
        files = context.machine.files
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            files.remove(path)
            return
        _demand_contents(bound)
        if not files.is_folder(parent_of(path)):
            raise resource_error(
                f"The folder '{parent_of(path)}' of the file '{path}' does not exist.",
                "DirectoryNotFound",
                "ObjectNotFound",
            )
        desired = _content(bound)
        rights = _rights(bound, context)
        if not files.is_file(path) or files.read(path) != desired:
            _publish(path, desired, rights, context)
        if rights is not None:
            files.set_acl(path, rights)
            _check_rights(path, rights, context)


def _publish(path: str, data: bytes, rights: Acl | None, context: ResourceContext) -> None:
    files = context.machine.files
    temporary = path + _TEMPORARY_SUFFIX
    old = files.find(path)
    # Where ReadAccess is not given, what the old file shows now is protected for the time of the change.
    first = rights or (replace(files.acl(path), is_protected=True) if old else None)
    with calling("Write-NewFile"):
        files.remove(temporary)
        files.write(temporary, data, first)
    files.replace(temporary, path)
    if rights is None and old is not None:
        # The new file takes over the rights of the one it replaces.
        files.set_acl(path, old.acl)


def _check_path(path: str, context: ResourceContext) -> None:
    if not _ABSOLUTE.match(path):
        raise resource_error(
            f"The path '{path}' does not start with a drive, as in C:\\, or a share.",
            "PathNotAbsolute",
            "InvalidArgument",
        )
    if context.machine.files.is_folder(path):
        raise resource_error(f"The path '{path}' is a folder, not a file.", "PathIsFolder", "InvalidArgument")


def _demand_contents(bound: Mapping[str, Any]) -> None:
    if "Contents" not in bound:
        raise resource_error(
            f"The file '{bound['Path']}' should be present, but Contents is not given.",
            "ContentsMissing",
            "InvalidArgument",
        )


def _content(bound: Mapping[str, Any]) -> bytes:
    """Give the bytes the file is to hold: one pass over the text, which never looks at what it filled in."""
    text = str(bound["Contents"] or "").replace("\r\n", "\n").replace("\r", "\n")
    if is_same(bound.get("LineEnding", "CRLF"), "CRLF"):
        text = text.replace("\n", "\r\n")
    path, secrets = bound["Path"], _secrets(bound)
    first, *rest = text.split(_PLACEHOLDER)
    filled, used = [first], set()
    for piece in rest:
        name, brace, after = piece.partition("}")
        if not brace or not _SECRET_NAME.fullmatch(name):
            raise resource_error(
                f"The text of the file '{path}' has a placeholder whose name does not end or is no name.",
                "PlaceholderMalformed",
                "InvalidArgument",
            )
        if name not in secrets:
            raise resource_error(
                f"The text of the file '{path}' has a placeholder for the secret '{name}', which is not given.",
                "PlaceholderUnknown",
                "InvalidArgument",
            )
        used.add(name)
        filled += [secrets[name], after]
    for name in secrets:
        if name not in used:
            raise resource_error(
                f"The secret '{name}' is given, but the text of the file '{path}' has no placeholder for it.",
                "SecretUnused",
                "InvalidArgument",
            )
    return "".join(filled).encode()


def _secrets(bound: Mapping[str, Any]) -> dict[str, str]:
    """Read the named secrets out of the password of Secrets."""
    credential, path = bound.get("Secrets"), bound["Path"]
    if credential is None:
        return {}
    password = str(next((value for key, value in credential.items() if is_same(key, "Password")), ""))
    if password.lstrip().casefold().startswith(_ENCRYPTED):
        raise resource_error(
            f"The secrets of '{path}' arrived encrypted: does CertificateID of the LCM name the certificate?",
            "SecretsNotDecrypted",
            "InvalidData",
        )
    found: dict[str, str] = {}
    for number, line in enumerate(password.replace("\r\n", "\n").split("\n"), 1):
        name, equals, encoded = line.partition("=")
        value = _decoded(encoded)
        if not equals or not _SECRET_NAME.fullmatch(name) or name in found or value is None:
            raise resource_error(
                f"Line {number} of the secrets of '{path}' is not name=base64 with a name of its own and text in "
                "UTF-8.",
                "SecretsMalformed",
                "InvalidArgument",
            )
        if "\r" in value or "\n" in value:
            raise resource_error(
                f"The secret '{name}' of the file '{path}' has a line break, which would begin another line.",
                "SecretHasLineBreak",
                "InvalidArgument",
            )
        found[name] = value
    return found


def _decoded(encoded: str) -> str | None:
    try:
        return base64.b64decode("".join(encoded.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _rights(bound: Mapping[str, Any], context: ResourceContext) -> Acl | None:
    """Give the wanted rights; None when nothing is said about them."""
    if "ReadAccess" not in bound:
        return None
    readers: dict[str, None] = {}
    for name in bound["ReadAccess"] or ():
        try:
            readers[sid_of(context.machine, name)] = None
        except MachineError:
            raise ResourceError(
                f"No account is named '{name}'.",
                "IdentityNotMapped",
                "ObjectNotFound",
                "System.Security.Principal.IdentityNotMappedException",
            ) from None
    rules = [AccessRule(sid, FULL_CONTROL) for sid in _FULL]
    rules.extend(AccessRule(sid, _READ) for sid in readers if sid not in _FULL)
    return Acl(SYSTEM, is_protected=True, rules=tuple(rules))


def _check_rights(path: str, wanted: Acl, context: ResourceContext) -> None:
    if not _is_same_acl(context.machine.files.acl(path), wanted):
        raise resource_error(
            f"The file '{path}' has other rights than it was given.", "RightsNotApplied", "InvalidResult"
        )


def _is_same_acl(actual: Acl, wanted: Acl) -> bool:
    def entries(acl: Acl) -> list[tuple[str, str, bool]]:
        return sorted((rule.sid, rule.rights, rule.is_inherited) for rule in acl.rules)

    return actual.is_protected == wanted.is_protected and entries(actual) == entries(wanted)
