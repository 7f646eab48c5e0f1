r"""Variables that say which file is meant: an .msi file (``type: installer``), or any file (``type: package``).

The inventory pins the file by its SHA-256 and says where it is: beside the inventory (``file``), where the node
finds it (``path``), or both. What an .msi file says of itself is read of it where it is here; where it is not, the
inventory says it too.

    {file: packages/app.msi, sha256: ...}                              # goes to the node before its document
    {file: packages/app.msi, path: '\\server\share\app.msi', sha256: ...}   # fetched by the node
    {path: 'https://...', sha256: ..., product_code: ..., version: ...}     # nothing is here
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping as MappingTree
from provisioner.installers.msi import GUID, NoInstaller, digest_of, read_installer
from provisioner.roles.model import Upload, VariableType, kind_of

if TYPE_CHECKING:
    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Located

_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")
_PLACE: Final = r"(?:[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\|https?://[^/]+/)"
#: Where a file lies on a node that is sent to it. Only administrators may write below this folder's parent: in
#: ProgramData anybody could make the folder first, own it, and swap a file whose hash was just computed.
FOLDER: Final = r"C:\Program Files\provisioner\installers"
_HELP: Final = "Write {file: PATH, sha256: DIGEST} for a file beside the inventory."

#: Summary, detail, position and help of something that is wrong.
Found = tuple[str, str, "SourceRange", str]
#: What is known of a file by the keys of its sort; ``sha256`` in small digits is among it.
_Facts = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class _Sort:
    """One sort of files. ``forms`` are keys with what they have to match, in two ways; ``seen`` are expressions'.

    ``alone`` are the keys that are needed when there is no file to read.
    """

    noun: str
    says: str
    forms: tuple[tuple[str, re.Pattern[str], str], ...]
    alone: tuple[str, ...]
    seen: tuple[str, ...]
    read: Callable[[Path], _Facts]

    @property
    def keys(self) -> tuple[str, ...]:
        return ("file", *(name for name in self.seen if name != "name"))


def _msi(path: Path) -> _Facts:
    found = read_installer(path)
    return {
        "sha256": found.sha256,
        "product_code": found.product_code,
        "version": found.version,
        "upgrade_code": found.upgrade_code or None,
        "name": found.name,
    }


def _any(path: Path) -> _Facts:
    return {"sha256": digest_of(path)[0]}


_SORTS: Final = {
    VariableType.INSTALLER: _Sort(
        "an installer",
        "which .msi file to install",
        (
            ("sha256", _SHA256, "64 hexadecimal digits"),
            ("product_code", GUID, "a GUID in braces"),
            ("upgrade_code", GUID, "a GUID in braces"),
            (
                "path",
                re.compile(rf'{_PLACE}[^?"]*\.msi(?:\?[^"]*)?', re.IGNORECASE),
                "the full path, share or address of an .msi file",
            ),
        ),
        ("path", "sha256", "product_code", "version"),
        ("path", "sha256", "product_code", "version", "upgrade_code", "name"),
        _msi,
    ),
    VariableType.PACKAGE: _Sort(
        "a package",
        "which file is meant",
        (
            ("sha256", _SHA256, "64 hexadecimal digits"),
            (
                "path",
                re.compile(rf'{_PLACE}[^"\r\n]*[^"\r\n\\/]'),
                "the full path, share or address of a file",
            ),
        ),
        ("path", "sha256"),
        ("path", "sha256"),
        _any,
    ),
}


def is_pinned(kind: VariableType | None) -> bool:
    """Whether variables of a type say which file is meant."""
    return kind is VariableType.INSTALLER or kind is VariableType.PACKAGE


def faults(kind: VariableType, what: str, given: Located) -> Iterator[Found]:
    """Yield what is wrong with such a value; ``what`` names it at the start of a sentence."""
    sort = _SORTS[kind]
    where, tree, value = given.origin(), given.tree, given.value
    if not isinstance(value, dict):
        yield (
            "Variable has the wrong type",
            f"{what} says {sort.says}, and this is {kind_of(value)}.",
            where,
            _HELP,
        )
        return
    unknown = [name for name in value if name not in sort.keys]
    for name in unknown:
        entry = tree.entry(name) if isinstance(tree, MappingTree) else None
        yield (
            "Unknown key",
            f"{what} is {sort.noun}, and that has no key '{name}'.",
            entry.key.where if entry else where,
            did_you_mean(name, sort.keys),
        )
    wrong = [name for name in sort.keys if value.get(name) is not None and not isinstance(value[name], str)]
    for name in wrong:
        yield (
            "Variable has the wrong type",
            f"The key '{name}' of {sort.noun} is text, and this is {kind_of(value[name])}.",
            given.origin(name),
            "Put it in quotes.",
        )
    if not (unknown or wrong):
        yield from _of_texts(sort, what, given, value)


def _of_texts(sort: _Sort, what: str, given: Located, value: Mapping[str, str]) -> Iterator[Found]:
    is_malformed = False
    for name, form, words in sort.forms:
        text = value.get(name)
        if text and not form.fullmatch(text):
            is_malformed = True
            yield (
                "Variable has a value that is not allowed",
                f"The key '{name}' of {sort.noun} is {words}, and this is '{text}'.",
                given.origin(name),
                "",
            )
    if not value.get("file"):
        missing = [name for name in sort.alone if not value.get(name)]
        if missing:
            yield (
                "Missing key",
                f"{what} names no 'file' to read, so it needs {_listed(missing)} too.",
                given.origin(),
                _HELP,
            )
        return
    if not is_malformed:
        yield from _of_file(sort, what, given, value)


def _of_file(sort: _Sort, what: str, given: Located, value: Mapping[str, str]) -> Iterator[Found]:
    """Hold the file beside the inventory against what the inventory says of it."""
    file, at = _source(given, value), given.origin("file")
    try:
        read = _read(sort, file)
    except OSError as error:
        help_ = "Paths are relative to the inventory."
        yield "File cannot be read", f"{what} names {file}: {error.strerror}.", at, help_
        return
    except NoInstaller as error:
        yield "File is no installer", f"{what} names {file}, and {error}.", at, ""
        return
    if not value.get("sha256"):
        yield (
            "Missing key",
            f"{what} does not say which file it means: {file} has the SHA-256 {read['sha256']}.",
            given.origin(),
            f"When that is the right file, write 'sha256: {read['sha256']}'.",
        )
    for name in sort.keys:
        actual = read.get(name, "") or ""
        if name in read and value.get(name) and value[name].casefold() != actual.casefold():
            yield (
                f"{sort.noun.partition(' ')[2].capitalize()} is another one",
                f"{what} has the {name} '{value[name]}', and {file} has '{actual}'.",
                given.origin(name),
                "Find out which file it is before you change the digest."
                if name == "sha256"
                else "Leave it out: it is read of the file.",
            )


def resolved(kind: VariableType, given: Located) -> dict[str, Any]:
    """Return what expressions see of a value without faults.

    ``path`` is where the node finds it, ``sha256`` in small digits. Of an installer, ``upgrade_code`` is null
    without a family, ``name`` null where no file is here.
    """
    sort, value = _SORTS[kind], given.value
    found: dict[str, Any] = {name: value.get(name) or None for name in sort.seen}
    if not value.get("file"):
        return found | {"sha256": value["sha256"].lower()}
    source = _source(given, value)
    read = _read(sort, source)
    return found | dict(read) | {"path": value.get("path") or _destination(read, source)}


def upload_of(kind: VariableType, given: Located) -> Upload | None:
    """Return the file that has to go to the node; None where the node fetches it."""
    value = given.value
    if not value.get("file") or value.get("path"):
        return None
    source = _source(given, value)
    read = _read(_SORTS[kind], source)
    return Upload(source, _destination(read, source), str(read["sha256"]))


def _source(given: Located, value: Mapping[str, str]) -> Path:
    return Path(given.where.source.path).parent / Path(value["file"]).expanduser()


def _destination(read: _Facts, source: Path) -> str:
    # The digest in the path: another file of the same name never takes its place.
    return ntpath.join(FOLDER, str(read["sha256"])[:16], source.name)


def _read(sort: _Sort, path: Path) -> _Facts:
    stamp = path.stat()
    return _read_once(sort.read, path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=64)
def _read_once(read: Callable[[Path], _Facts], path: Path, _written_ns: int, _size: int) -> _Facts:
    """Read a file once for all nodes of a fleet."""
    return read(path)


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
