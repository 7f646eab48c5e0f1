"""xRemoteFile of xPSDesiredStateConfiguration 9.2 (class DSC_xRemoteFile): a file from an address."""

from __future__ import annotations

import hashlib
import ntpath
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.provider_cache import ProviderCache
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same

_HASHES = ("SHA1", "SHA256", "SHA384", "SHA512", "MACTripleDES", "MD5", "RIPEMD160")
_RULES = (
    Rule("DestinationPath", may_be_empty=False),
    Rule("Uri", may_be_empty=False),
    Rule("UserAgent"),
    Rule("Headers", "any"),
    Rule("Credential", "any"),
    Rule("MatchSource", "boolean"),
    Rule("TimeoutSec", "integer"),
    Rule("Proxy"),
    Rule("ProxyCredential", "any"),
    Rule("ChecksumType", allowed=("None", *_HASHES)),
    Rule("Checksum"),
)
_TRIES = 6
_PAUSE_S = 5.0


class RemoteFile:
    """Stateless. The source is never asked in Test: a record of the last download is."""

    class_name = "DSC_xRemoteFile"
    module = "xPSDesiredStateConfiguration"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {
            "DestinationPath": bound["DestinationPath"],
            "Uri": bound["Uri"],
            "Ensure": "Present" if _is_fresh(bound, context) else "Absent",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: the file, its record, and its checksum when one is bound."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return _is_fresh(bound, context) and _has_checksum(bound, context)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: a file with a wrong checksum stays."""
        bound = bind("Set-TargetResource", _RULES, properties)
        scheme = urlsplit(bound["Uri"]).scheme.casefold()
        if scheme not in {"http", "https", "file"}:
            raise _failure("UriValidationFailure", f"The URI {bound['Uri']} must be of http, https or file.")
        _check_destination(bound["DestinationPath"])
        machine = context.machine
        content = _content(bound["Uri"], context)
        for attempt in range(_TRIES):
            if content is not None:
                break
            if attempt < _TRIES - 1:
                await context.sleep(_PAUSE_S)
        if content is None:
            raise _failure("SystemException", f"Downloading {bound['Uri']} failed.")
        target = _target(bound, context)
        try:
            machine.files.make_folder(ntpath.dirname(target))
            machine.files.write(target, content)
        except MachineError as error:
            raise _failure("SystemException", error.message) from None
        if not _has_checksum(bound, context):
            raise _failure("ChecksumDoesNotMatch", f"The checksum of {target} is not {bound['Checksum']}.")
        entry = machine.files.find(target)
        written = entry.written if entry else ""
        machine.area(ProviderCache).keep_download(_record(target, bound), written, len(content))


def _failure(error_id: str, text: str) -> ResourceError:
    return ResourceError(text, error_id, "InvalidData", "System.InvalidOperationException")


def _content(uri: str, context: ResourceContext) -> bytes | None:
    parts = urlsplit(uri)
    if parts.scheme.casefold() == "file":
        path = unquote(parts.path).lstrip("/").replace("/", "\\")
        share = f"\\\\{parts.netloc}\\{path}" if parts.netloc else path
        return context.machine.files.read(share) if context.machine.files.is_file(share) else None
    text = context.machine.downloads.get(uri)
    return None if text is None else text.encode()


def _check_destination(path: str) -> None:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path):
        raise _failure("DestinationPathSchemeValidationFailure", f"The path {path} must be a local one.")
    if path.startswith("\\\\"):
        raise _failure("DestinationPathIsUncFailure", f"The path {path} must not be one of a share.")
    if any(char in path for char in '*?"<>|'):
        raise _failure("DestinationPathHasInvalidCharactersError", f"The path {path} has invalid characters.")
    if path.endswith(("/", "\\", ":")):
        raise _failure("DestinationPathEndsWithInvalidCharacterError", f"The path {path} must not end so.")


def _target(bound: Mapping[str, Any], context: ResourceContext) -> str:
    """Give the file: in a folder it has the last name of the address."""
    path = str(bound["DestinationPath"])
    if context.machine.files.is_folder(path):
        return ntpath.join(path, urlsplit(bound["Uri"]).path.rpartition("/")[2])
    return path


def _record(target: str, bound: Mapping[str, Any]) -> str:
    return f"{target}|{bound['Uri']}".casefold()


def _is_fresh(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    target = _target(bound, context)
    entry = context.machine.files.find(target)
    if entry is None or entry.content is None:
        return False
    if not bound.get("MatchSource", True):
        return True
    known = context.machine.area(ProviderCache).downloads.get(_record(target, bound))
    return known == (entry.written, len(entry.content))


def _has_checksum(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    kind = str(bound.get("ChecksumType", "None"))
    if is_same(kind, "None") or not bound.get("Checksum"):
        return True
    content = context.machine.files.read(_target(bound, context))
    found = hashlib.new(kind.casefold(), content, usedforsecurity=False).hexdigest()
    return is_same(found, bound["Checksum"])
