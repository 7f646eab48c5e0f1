"""The files of a vendor's module, out of a folder or a package (``.nupkg``, ``.zip``).

Nothing is unpacked to disk. Only text files that declare something are read, each up to a limit, so that a
package that unfolds without end costs nothing.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange

#: Bounds that no module comes near, so that a hostile one costs little.
LARGEST_FILE = 16 * 1024 * 1024
#: Reading a list of a schema takes time in the square of its length; the largest schema known has 60 KiB.
LARGEST_SCHEMA = 1024 * 1024
MOST_FILES = 50_000
_SUFFIXES = (".psd1", ".psm1", ".ps1", ".mof")
_PACKAGES = (".nupkg", ".zip")
#: What a package has beside the module.
_PACKAGE_FOLDERS = ("_rels", "package")
_UNREADABLE = "Module cannot be read"


@dataclass(frozen=True)
class ModuleFiles:
    """Files that may declare something, by their path below the module. ``shown`` stands before each path."""

    shown: str
    readers: Mapping[str, Callable[[], bytes]]

    @property
    def paths(self) -> Iterator[str]:
        """All paths, in order."""
        return iter(sorted(self.readers))

    def show(self, path: str) -> str:
        """Return a path as the user knows it."""
        return f"{self.shown}/{path}" if path else self.shown

    def below(self, folder: str) -> ModuleFiles:
        """Return the files of one folder."""
        if not folder:
            return self
        start = f"{folder}/"
        inside = {path[len(start) :]: read for path, read in self.readers.items() if path.startswith(start)}
        return ModuleFiles(self.show(folder), inside)

    def text(self, path: str, problems: Diagnostics) -> str | None:
        """Read a file as text; None, with a problem, when that cannot be done."""
        shown = self.show(path)
        try:
            content = self.readers[path]()
        except (OSError, EOFError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            # RuntimeError: a file with a password, or (a kind of it) packed in a way Python does not know.
            problems.error(_UNREADABLE, f"The file cannot be read: {error}.", _start(shown))
            return None
        largest = LARGEST_SCHEMA if path.casefold().endswith(".mof") else LARGEST_FILE
        if len(content) > largest:
            problems.error(_UNREADABLE, f"The file is larger than {largest // 1024**2} MiB.", _start(shown))
            return None
        return _decoded(content)


def open_module(path: Path, problems: Diagnostics) -> ModuleFiles | None:
    """List the files of a folder or a package; None, with a problem, when it is neither."""
    if path.is_dir():
        return _folder(path, problems)
    if path.is_file() and path.suffix.casefold() in _PACKAGES:
        return _package(path, problems)
    sentence = (
        "It is neither a folder nor a package (.nupkg, .zip)." if path.exists() else "There is no such file."
    )
    problems.error(_UNREADABLE, sentence, _start(str(path)))
    return None


def _folder(root: Path, problems: Diagnostics) -> ModuleFiles | None:
    readers: dict[str, Callable[[], bytes]] = {}
    count = 0
    resolved = root.resolve()
    for folder, _, names in os.walk(root):
        for name in names:
            count += 1
            if count > MOST_FILES:
                problems.error(_UNREADABLE, f"It has more than {MOST_FILES} files.", _start(str(root)))
                return None
            path = Path(folder, name)
            if not name.casefold().endswith(_SUFFIXES):
                continue
            if not path.resolve().is_relative_to(resolved):
                problems.error(_UNREADABLE, "This link leads out of the module.", _start(str(path)))
                continue
            if not path.is_file():
                problems.error(_UNREADABLE, "It is no file: a pipe, or a link to nothing.", _start(str(path)))
                continue
            readers[path.relative_to(root).as_posix()] = _from_disk(path)
    return ModuleFiles(str(root), readers)


def _from_disk(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE + 1)

    return read


def _package(path: Path, problems: Diagnostics) -> ModuleFiles | None:
    readers: dict[str, Callable[[], bytes]] = {}
    try:
        with zipfile.ZipFile(path) as package:
            entries = package.infolist()
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile) as error:
        problems.error(_UNREADABLE, f"The package is damaged: {error}.", _start(str(path)))
        return None
    if len(entries) > MOST_FILES:
        problems.error(_UNREADABLE, f"It has more than {MOST_FILES} files.", _start(str(path)))
        return None
    for entry in entries:
        name = unquote(entry.filename).replace("\\", "/")
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or ":" in name:
            problems.error(
                _UNREADABLE,
                f"The package names a file outside itself: {ascii(name)[:200]}.",
                _start(str(path)),
            )
            return None
        is_wanted = name.casefold().endswith(_SUFFIXES) and inside.parts[0] not in _PACKAGE_FOLDERS
        if is_wanted and not entry.is_dir():
            readers[inside.as_posix()] = _from_package(path, entry)
    return ModuleFiles(str(path), readers)


def _from_package(path: Path, entry: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        with zipfile.ZipFile(path) as package, package.open(entry) as file:
            return file.read(LARGEST_FILE + 1)

    return read


def _decoded(content: bytes) -> str:
    """Decode as Windows PowerShell would: by the byte order mark; else UTF-8, else Western European."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _start(shown: str) -> SourceRange:
    return SourceRange(SourceFile(shown, ""), 1, 1, 1, 1)
