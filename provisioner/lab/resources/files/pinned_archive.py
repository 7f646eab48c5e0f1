"""PinnedArchive of ProvisionerDsc (class PROV_PinnedArchive): one .zip file that is known to the byte."""

from __future__ import annotations

import hashlib
import io
import ntpath
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any, Final

from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, is_same, resource_error
from provisioner.lab.resources.files.pinned import demand_hash, fetch

_RULES: Final = (
    Rule("Folder", may_be_empty=False, is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("Path"),
    Rule("Sha256"),
)
_MANIFEST: Final = ".provisioner-archive"
_LINE: Final = re.compile(r"([0-9]{1,15}) (.+)")
_DIGEST: Final = re.compile(r"[0-9A-Fa-f]{64}")
_FOLDER: Final = re.compile(r'[A-Za-z]:\\[^<>:"|?*/]*[^<>:"|?*/\\. ]')
_PATH: Final = re.compile(r'(?:[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\|https?://[^/]+/)[^"]+', re.IGNORECASE)
_UNSAFE: Final = re.compile(r'[. ]\Z|[\x00-\x1f<>:"|?*]')
_DEVICE: Final = re.compile(
    "(?:CON|PRN|AUX|NUL|CONIN\\$|CONOUT\\$|(?:COM|LPT)[0-9\u00b9\u00b2\u00b3]) *(?:\\..*)?", re.IGNORECASE
)
_UNFINISHED: Final = "unfinished"
_COPIES: Final = r"C:\Program Files\provisioner\archives"

#: Name below the folder and content.
_Files = list[tuple[str, bytes]]


class PinnedArchive:
    """Stateless. What an archive holds is in its bytes, or in the lab's ``archives`` by its digest."""

    class_name = "PROV_PinnedArchive"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource: which archive was unpacked."""
        folder = bind("Get-TargetResource", _RULES[:1], properties)["Folder"]
        _demand_folder(folder)
        known = _manifest(folder, context)
        return {
            "Folder": folder,
            "Ensure": "Present" if known and known[0] != _UNFINISHED else "Absent",
            "Path": None,
            "Sha256": known[0] if known and known[0] != _UNFINISHED else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: this archive, and all its files with their sizes."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _demand_folder(bound["Folder"])
        known = _manifest(bound["Folder"], context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return known is None
        _demand_archive(bound.get("Path") or "", bound.get("Sha256") or "")
        if known is None or not is_same(known[0], bound["Sha256"]):
            return False
        files = context.machine.files
        for name, size in known[1]:
            path = ntpath.join(bound["Folder"], name)
            if not files.is_file(path) or len(files.read(path)) != size:
                context.verbose(f"The file {name} is missing or has another size.")
                return False
        return True

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: all names are looked at before one file is written."""
        bound = bind("Set-TargetResource", _RULES, properties)
        folder = bound["Folder"]
        _demand_folder(folder)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            known = _manifest(folder, context)
            for name in (*(name for name, _ in (known[1] if known else ())), _MANIFEST):
                _remove(ntpath.join(folder, name), context)
            return
        path, digest = bound.get("Path") or "", bound.get("Sha256") or ""
        _demand_archive(path, digest)
        machine = context.machine
        is_copy = not re.match(r"[A-Za-z]:\\", path)
        file = ntpath.join(_COPIES, f"{digest.lower()}.zip") if is_copy else path
        if is_copy:
            fetch(path, file, context)
        try:
            demand_hash(file, digest, context)
            content = _content(file, path, context)
            await context.sleep(machine.durations.other_s)
            machine.files.make_folder(folder)
            kept = {name.casefold() for name, _ in content}
            known = _manifest(folder, context)
            gone = [each for each in (known[1] if known else ()) if each[0].casefold() not in kept]
            _write(folder, _UNFINISHED, [*((name, len(data)) for name, data in content), *gone], context)
            for name, _ in gone:
                _remove(ntpath.join(folder, name), context)
            for name, data in content:
                target = ntpath.join(folder, name)
                machine.files.make_folder(ntpath.dirname(target))
                machine.files.write(target, data)
            _write(folder, digest.lower(), [(name, len(data)) for name, data in content], context)
        finally:
            if is_copy:
                machine.files.remove(file)


def _manifest(folder: str, context: ResourceContext) -> tuple[str, list[tuple[str, int]]] | None:
    """Give digest and files of what was unpacked; None when nothing was, or the list leads out of the folder."""
    path = ntpath.join(folder, _MANIFEST)
    if not context.machine.files.is_file(path):
        return None
    lines = context.machine.files.read(path).decode("utf-8", "replace").splitlines()
    if not lines or not (_DIGEST.fullmatch(lines[0]) or is_same(lines[0], _UNFINISHED)):
        return None
    found = [_LINE.fullmatch(line) for line in lines[1:]]
    files = [(line[2], int(line[1])) for line in found if line and _is_inside(line[2])]
    return (lines[0], files) if len(files) == len(found) else None


def _write(folder: str, head: str, files: Iterable[tuple[str, int]], context: ResourceContext) -> None:
    lines = [head, *(f"{size} {name}" for name, size in files)]
    text = "".join(f"{line}\r\n" for line in lines)
    context.machine.files.write(ntpath.join(folder, _MANIFEST), text.encode())


def _remove(path: str, context: ResourceContext) -> None:
    if context.machine.files.is_file(path):
        context.machine.files.remove(path)


def _content(file: str, path: str, context: ResourceContext) -> _Files:
    """Give the files of an archive; entries that end with a slash are folders, which come with their files."""
    data = context.machine.files.read(file)
    known = context.machine.archives.get(hashlib.sha256(data).hexdigest())
    if known is not None:
        entries = [(name, text.encode()) for name, text in known]
    else:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = [(item.filename, archive.read(item)) for item in archive.infolist()]
        except zipfile.BadZipFile as error:
            raise _invalid(
                f"The file {file} is no .zip archive that can be read: {error}", "ArchiveUnreadable"
            ) from None
    found: dict[str, tuple[str, bytes]] = {}
    for full_name, content in entries:
        name = full_name.replace("/", "\\")
        if name.endswith("\\"):
            continue
        if not _is_inside(name) or name.casefold() in {_MANIFEST, *found}:
            raise _invalid(
                f"The archive {path} has the entry '{full_name}', which is no file of its own below a folder.",
                "ArchiveUnsafe",
            )
        found[name.casefold()] = (name, content)
    return list(found.values())


def _is_inside(name: str) -> bool:
    return all(part and not _UNSAFE.search(part) and not _DEVICE.fullmatch(part) for part in name.split("\\"))


def _demand_folder(folder: str) -> None:
    if not _FOLDER.fullmatch(folder):
        raise _wrong(f"'{folder}' is not the full path of a folder below a drive.", "FolderMalformed")


def _demand_archive(path: str, digest: str) -> None:
    if not path or not digest:
        raise _wrong("The archive should be unpacked, but Path or Sha256 is not given.", "PathMissing")
    if not _PATH.fullmatch(path):
        raise _wrong(f"'{path}' is not the full path, share or address of a file.", "PathMalformed")
    if not _DIGEST.fullmatch(digest):
        raise _wrong(f"Sha256 is '{digest}', which is not 64 hexadecimal digits.", "HashMalformed")


def _wrong(message: str, error_id: str) -> ResourceError:
    return resource_error(message, error_id, "InvalidArgument")


def _invalid(message: str, error_id: str) -> ResourceError:
    return resource_error(message, error_id, "InvalidData")
