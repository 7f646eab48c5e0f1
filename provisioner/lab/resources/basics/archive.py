"""Archive of PSDscResources 2.12 (class MSFT_Archive) and of Windows itself (MSFT_ArchiveResource)."""

from __future__ import annotations

import hashlib
import io
import ntpath
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_argument, invalid_operation, is_same

_KEYS = (Rule("Path", may_be_empty=False), Rule("Destination", may_be_empty=False))
_HASHES = ("SHA-1", "SHA-256", "SHA-512")
_GET_RULES = (
    *_KEYS,
    Rule("Validate", "boolean"),
    Rule("Checksum", allowed=(*_HASHES, "CreatedDate", "ModifiedDate")),
    Rule("Credential", "any", may_be_empty=False),
)
_RULES = (*_GET_RULES, Rule("Ensure", allowed=("Present", "Absent")), Rule("Force", "boolean"))


@dataclass(frozen=True, slots=True)
class _Entry:
    """One member of the archive. ``content`` is None for folders; ``written`` is its time, to the second."""

    path: str
    content: bytes | None
    written: str


class Archive:
    """Stateless. The archive must be readable at every Test; files beside its own are left alone."""

    class_name = "MSFT_Archive"
    module = "PSDscResources"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _GET_RULES, properties)
        is_there = _is_expanded(bound, context)
        return {
            "Path": bound["Path"],
            "Destination": bound["Destination"],
            "Ensure": "Present" if is_there else "Absent",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: one missing entry is enough to be absent."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return _is_expanded(bound, context) == is_same(bound.get("Ensure", "Present"), "Present")

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: files that differ are written over with Force only."""
        bound = bind("Set-TargetResource", _RULES, properties)
        entries = _entries(bound, context)
        if is_same(bound.get("Ensure", "Present"), "Present"):
            _expand(bound, entries, context)
        else:
            _take_away(bound, entries, context)


class InBoxArchive(Archive):
    """The one that comes with Windows."""

    class_name = "MSFT_ArchiveResource"
    module = "PSDesiredStateConfiguration"


def _entries(bound: Mapping[str, Any], context: ResourceContext) -> list[_Entry]:
    path, files = bound["Path"], context.machine.files
    if "Checksum" in bound and not bound.get("Validate"):
        raise invalid_argument("Checksum was given, and Validate is not true.", "Checksum or Validate")
    if not files.is_file(path):
        raise invalid_argument(f"The path {path} does not exist or is no file.", "Path")
    if files.is_file(bound["Destination"]):
        raise invalid_argument(f"The destination {bound['Destination']} is a file.", "Destination")
    try:
        with zipfile.ZipFile(io.BytesIO(files.read(path))) as archive:
            return [
                _Entry(
                    ntpath.join(bound["Destination"], item.filename.replace("/", "\\").rstrip("\\")),
                    None if item.is_dir() else archive.read(item),
                    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*item.date_time),
                )
                for item in archive.infolist()
            ]
    except (zipfile.BadZipFile, OSError) as error:
        raise invalid_operation(f"The archive at {path} could not be opened. {error}") from None


def _is_expanded(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    files = context.machine.files
    for entry in _entries(bound, context):
        if entry.content is None:
            if not files.is_folder(entry.path):
                return False
        elif not files.is_file(entry.path) or not _is_equal(entry, bound, context):
            return False
    return True


def _is_equal(entry: _Entry, bound: Mapping[str, Any], context: ResourceContext) -> bool:
    """Compare a file with its entry: without Validate being there is enough."""
    if not bound.get("Validate") or entry.content is None:
        return True
    there = context.machine.files.find(entry.path)
    if there is None or there.content is None:
        return False
    checksum = bound.get("Checksum", "ModifiedDate")
    if checksum in {"CreatedDate", "ModifiedDate"}:
        return there.written[: len(entry.written)] == entry.written
    name = checksum.replace("-", "").casefold()
    return (
        hashlib.new(name, there.content, usedforsecurity=False).digest()
        == hashlib.new(name, entry.content, usedforsecurity=False).digest()
    )


def _expand(bound: Mapping[str, Any], entries: list[_Entry], context: ResourceContext) -> None:
    files = context.machine.files
    try:
        files.make_folder(bound["Destination"])
        for entry in entries:
            if entry.content is None:
                files.make_folder(entry.path)
                continue
            if files.is_file(entry.path):
                if _is_equal(entry, bound, context):
                    continue
                if not bound.get("Force"):
                    raise invalid_operation(
                        f"An item at {entry.path} differs from the archive. Give Force to write over it."
                    )
            files.make_folder(ntpath.dirname(entry.path))
            files.write(entry.path, entry.content)
            files.touch(entry.path, entry.written)
    except MachineError as error:
        raise _failed(error) from None


def _take_away(bound: Mapping[str, Any], entries: list[_Entry], context: ResourceContext) -> None:
    files = context.machine.files
    for entry in entries:
        if entry.content is not None and files.is_file(entry.path) and _is_equal(entry, bound, context):
            files.remove(entry.path)
    folders = {entry.path for entry in entries if entry.content is None}
    for entry in entries:
        above = ntpath.dirname(entry.path)
        while len(above) > len(bound["Destination"]):
            folders.add(above)
            above = ntpath.dirname(above)
    for folder in sorted(folders, key=lambda path: -path.count("\\")):
        if files.is_folder(folder) and not files.children(folder):
            files.remove(folder)


def _failed(error: MachineError) -> ResourceError:
    return invalid_operation(error.message)
