"""File, which comes with Windows (class MSFT_FileDirectoryConfiguration): files and folders, made or copied.

The real one is native code; what is known of it comes from its documentation and from reports.
"""

from __future__ import annotations

import hashlib
import ntpath
from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.basics.provider_cache import ProviderCache
from provisioner.lab.machine.ground.files import Entry
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same

_RULES = (
    Rule("DestinationPath", may_be_empty=False),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Type", allowed=("File", "Directory")),
    Rule("SourcePath"),
    Rule("Contents"),
    Rule("Checksum", allowed=("SHA-1", "SHA-256", "SHA-512", "CreatedDate", "ModifiedDate")),
    Rule("Recurse", "boolean"),
    Rule("Force", "boolean"),
    Rule("Credential", "any"),
    Rule("Attributes", "strings", allowed=("Archive", "Hidden", "ReadOnly", "System")),
    Rule("MatchSource", "boolean"),
)
_CIM = "Microsoft.Management.Infrastructure.CimException"
_MARK = b"\xef\xbb\xbf"
_SETTABLE = {"Archive", "Hidden", "ReadOnly", "System"}


class File:
    """Stateless. Contents are written as UTF-8 with its mark; without Checksum a copy is not looked into."""

    class_name = "MSFT_FileDirectoryConfiguration"
    module = "PSDesiredStateConfiguration"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        entry = context.machine.files.find(bound["DestinationPath"])
        if entry is None:
            return {"DestinationPath": bound["DestinationPath"], "Ensure": "Absent"}
        return {
            "DestinationPath": bound["DestinationPath"],
            "Ensure": "Present",
            "Type": "Directory" if entry.is_folder else "File",
            "Size": len(entry.content or b""),
            "Attributes": [name for name in entry.attributes.split(", ") if name],
            "CreatedDate": entry.written,
            "ModifiedDate": entry.written,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        entry = context.machine.files.find(bound["DestinationPath"])
        is_there = entry is not None and entry.is_folder == _is_directory(bound)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return not is_there
        if entry is None or not is_there or not _has_attributes(entry, bound):
            return False
        if _is_directory(bound):
            return _holds_source(bound, context)
        if "Contents" in bound:
            return _text(entry) == str(bound["Contents"] or "")
        return "SourcePath" not in bound or _is_copy(_source(bound, context), entry, bound)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bound = bind("Set-TargetResource", _RULES, properties)
        path, files = bound["DestinationPath"], context.machine.files
        entry = files.find(path)
        is_directory = _is_directory(bound)
        if entry is not None and entry.is_folder != is_directory:
            what = "directory" if entry.is_folder else "file"
            raise _refusal(f"The path cannot be used: there is a {what} of the same name.", path)
        try:
            if is_same(bound.get("Ensure", "Present"), "Absent"):
                _remove(bound, entry, context)
                return
            if is_directory:
                files.make_folder(path)
                _copy_source(bound, context)
            else:
                _write(bound, entry, context)
        except MachineError as error:
            raise _refusal(error.message, path) from None
        if "Attributes" in bound:
            kept = [] if not is_directory else ["Directory"]
            files.set_attributes(path, ", ".join([*bound["Attributes"], *kept]))


def _is_directory(bound: Mapping[str, Any]) -> bool:
    return is_same(bound.get("Type", "File"), "Directory")


def _text(entry: Entry) -> str:
    return (entry.content or b"").removeprefix(_MARK).decode("utf-8", "replace")


def _has_attributes(entry: Entry, bound: Mapping[str, Any]) -> bool:
    if "Attributes" not in bound:
        return True
    actual = {name for name in entry.attributes.split(", ") if name in _SETTABLE}
    return {name.casefold() for name in bound["Attributes"]} == {name.casefold() for name in actual}


def _source(bound: Mapping[str, Any], context: ResourceContext) -> Entry:
    entry = context.machine.files.find(bound["SourcePath"])
    if entry is None or entry.is_folder != _is_directory(bound):
        raise ResourceError(
            "SourcePath must be accessible for current configuration. The related file/directory is: "
            f"{bound['SourcePath']}.",
            "MI RESULT 4",
            "InvalidArgument",
            _CIM,
        )
    return entry


def _is_copy(source: Entry, entry: Entry, bound: Mapping[str, Any]) -> bool:
    """Compare with the source as Checksum says; without it being there is enough."""
    checksum = bound.get("Checksum")
    if checksum is None:
        return True
    if checksum in {"CreatedDate", "ModifiedDate"}:
        return source.written == entry.written
    name = checksum.replace("-", "").casefold()
    return _digest(name, source) == _digest(name, entry)


def _digest(name: str, entry: Entry) -> bytes:
    return hashlib.new(name, entry.content or b"", usedforsecurity=False).digest()


def _listed(bound: Mapping[str, Any], context: ResourceContext) -> list[str]:
    """Give the names below the source folder; without MatchSource those of the first time."""
    cache = context.machine.area(ProviderCache)
    key = f"{bound['DestinationPath']}|{bound['SourcePath']}".casefold()
    if key in cache.lists and not bound.get("MatchSource"):
        return cache.lists[key]
    source = _source(bound, context).path.rstrip("\\") + "\\"
    found = [
        path[len(source) :]
        for path in context.machine.files.paths()
        if path.casefold().startswith(source.casefold())
    ]
    is_deep = bool(bound.get("Recurse"))
    cache.keep_list(key, [name for name in found if is_deep or "\\" not in name])
    return cache.lists[key]


def _pairs(bound: Mapping[str, Any], context: ResourceContext) -> list[tuple[Entry, str]]:
    """Give what the source holds with where it belongs."""
    files = context.machine.files
    pairs = []
    for name in _listed(bound, context):
        source = files.find(ntpath.join(bound["SourcePath"], name))
        if source is not None and (bound.get("Recurse") or not source.is_folder):
            pairs.append((source, ntpath.join(bound["DestinationPath"], name)))
    return pairs


def _holds_source(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    if "SourcePath" not in bound:
        return True
    for source, target in _pairs(bound, context):
        entry = context.machine.files.find(target)
        if entry is None or entry.is_folder != source.is_folder:
            return False
        if not source.is_folder and not _is_copy(source, entry, bound):
            return False
    return True


def _copy_source(bound: Mapping[str, Any], context: ResourceContext) -> None:
    if "SourcePath" not in bound:
        return
    files = context.machine.files
    for source, target in sorted(_pairs(bound, context), key=lambda pair: pair[1].count("\\")):
        if source.is_folder:
            files.make_folder(target)
            continue
        there = files.find(target)
        if there is None or not _is_copy(source, there, bound):
            _demand_writable(there, bound)
            files.make_folder(ntpath.dirname(target))
            files.write(target, source.content or b"")
            files.touch(target, source.written)


def _write(bound: Mapping[str, Any], entry: Entry | None, context: ResourceContext) -> None:
    path, files = bound["DestinationPath"], context.machine.files
    source = _source(bound, context) if "SourcePath" in bound else None
    if entry is not None and source is None and "Contents" not in bound:
        return
    _demand_writable(entry, bound)
    files.make_folder(ntpath.dirname(path))
    if source is not None:
        files.write(path, source.content or b"")
        files.touch(path, source.written)
    else:
        text = str(bound.get("Contents") or "")
        files.write(path, _MARK + text.encode() if "Contents" in bound else b"")


def _remove(bound: Mapping[str, Any], entry: Entry | None, context: ResourceContext) -> None:
    if entry is None:
        return
    if entry.is_folder and context.machine.files.children(entry.path) and not bound.get("Force"):
        raise _refusal("The directory is not empty. Force must be true to remove it.", entry.path)
    _demand_writable(entry, bound)
    context.machine.files.remove(entry.path)


def _demand_writable(entry: Entry | None, bound: Mapping[str, Any]) -> None:
    if entry is not None and "ReadOnly" in entry.attributes and not bound.get("Force"):
        raise _refusal("The file is read-only. Force must be true to change it.", entry.path)


def _refusal(text: str, path: str) -> ResourceError:
    return ResourceError(
        f"{text} The related file/directory is: {path}.", "MI RESULT 1", "NotSpecified", _CIM
    )
