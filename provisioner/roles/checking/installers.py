r"""Variables that say which .msi file to install: ``type: installer``.

The inventory pins the file by its SHA-256 and says where it is: beside the inventory (``file``), where the node
finds it (``path``), or both. What the file says of itself is read of it where it is here; where it is not, the
inventory says it too.

    {file: packages/app.msi, sha256: ...}                              # goes to the node before its document
    {file: packages/app.msi, path: '\\server\share\app.msi', sha256: ...}   # fetched by the node
    {path: 'https://...', sha256: ..., product_code: ..., version: ...}     # nothing is here
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping as MappingTree
from provisioner.installers.msi import Installer, NoInstaller, read_installer
from provisioner.roles.model import Upload, kind_of

if TYPE_CHECKING:
    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Located

_KEYS: Final = ("file", "path", "sha256", "product_code", "version", "upgrade_code")
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")
_GUID: Final = re.compile(r"\{[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}")
_PATH: Final = re.compile(
    r'(?:[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\|https?://[^/]+/)[^?"]*\.msi(?:\?[^"]*)?', re.IGNORECASE
)
#: Where a file lies on a node that is sent to it.
FOLDER: Final = r"C:\ProgramData\provisioner\installers"
_HELP: Final = "Write {file: PATH, sha256: DIGEST} for a file beside the inventory."

#: Summary, detail, position and help of something that is wrong.
Found = tuple[str, str, "SourceRange", str]


def faults(what: str, given: Located) -> Iterator[Found]:
    """Yield what is wrong with an installer; ``what`` names it at the start of a sentence."""
    where, tree, value = given.origin(), given.tree, given.value
    if not isinstance(value, dict):
        yield (
            "Variable has the wrong type",
            f"{what} says which .msi file to install, and this is {kind_of(value)}.",
            where,
            _HELP,
        )
        return
    unknown = [name for name in value if name not in _KEYS]
    for name in unknown:
        entry = tree.entry(name) if isinstance(tree, MappingTree) else None
        yield (
            "Unknown key",
            f"{what} is an installer, and that has no key '{name}'.",
            entry.key.where if entry else where,
            did_you_mean(name, _KEYS),
        )
    wrong = [name for name in _KEYS if value.get(name) is not None and not isinstance(value[name], str)]
    for name in wrong:
        yield (
            "Variable has the wrong type",
            f"The key '{name}' of an installer is text, and this is {kind_of(value[name])}.",
            given.origin(name),
            "Put it in quotes.",
        )
    if not (unknown or wrong):
        yield from _of_texts(what, given, value)


def _of_texts(what: str, given: Located, value: Mapping[str, str]) -> Iterator[Found]:
    forms = (
        ("sha256", _SHA256, "64 hexadecimal digits"),
        ("product_code", _GUID, "a GUID in braces"),
        ("upgrade_code", _GUID, "a GUID in braces"),
        ("path", _PATH, "the full path, share or address of an .msi file"),
    )
    is_malformed = False
    for name, form, words in forms:
        text = value.get(name)
        if text and not form.fullmatch(text):
            is_malformed = True
            yield (
                "Variable has a value that is not allowed",
                f"The key '{name}' of an installer is {words}, and this is '{text}'.",
                given.origin(name),
                "",
            )
    if not value.get("file"):
        missing = [name for name in ("path", "sha256", "product_code", "version") if not value.get(name)]
        if missing:
            yield (
                "Missing key",
                f"{what} names no 'file' to read, so it needs {_listed(missing)} too.",
                given.origin(),
                _HELP,
            )
        return
    if not is_malformed:
        yield from _of_file(what, given, value)


def _of_file(what: str, given: Located, value: Mapping[str, str]) -> Iterator[Found]:
    """Hold the file beside the inventory against what the inventory says of it."""
    file, at = _source(given, value), given.origin("file")
    try:
        read = _read(file)
    except OSError as error:
        help_ = "Paths are relative to the inventory."
        yield "File cannot be read", f"{what} names {file}: {error.strerror}.", at, help_
        return
    except NoInstaller as error:
        yield "File is no installer", f"{what} names {file}, and {error}.", at, ""
        return
    pinned = value.get("sha256", "")
    if not pinned:
        yield (
            "Missing key",
            f"{what} does not say which file it means: {file} has the SHA-256 {read.sha256}.",
            given.origin(),
            f"When that is the right file, write 'sha256: {read.sha256}'.",
        )
    said = {
        "sha256": read.sha256,
        "product_code": read.product_code,
        "version": read.version,
        "upgrade_code": read.upgrade_code,
    }
    for name, actual in said.items():
        if value.get(name) and value[name].casefold() != actual.casefold():
            yield (
                "Installer is another one",
                f"{what} has the {name} '{value[name]}', and {file} has '{actual}'.",
                given.origin(name),
                "Find out which file it is before you change the digest."
                if name == "sha256"
                else "Leave it out: it is read of the file.",
            )


def resolved(given: Located) -> dict[str, Any]:
    """Return what expressions see of an installer without faults.

    ``path`` is where the node finds it, ``sha256`` in small digits; ``upgrade_code`` is null without a family,
    ``name`` null where no file is here.
    """
    value = given.value
    if not value.get("file"):
        found = {name: value.get(name) or None for name in _KEYS if name != "file"}
        return found | {"sha256": value["sha256"].lower(), "name": None}
    read = _read(_source(given, value))
    return {
        "path": value.get("path") or _destination(read, _source(given, value)),
        "sha256": read.sha256,
        "product_code": read.product_code,
        "version": read.version,
        "upgrade_code": read.upgrade_code or None,
        "name": read.name,
    }


def upload_of(given: Located) -> Upload | None:
    """Return the file that has to go to the node; None where the node fetches it."""
    value = given.value
    if not value.get("file") or value.get("path"):
        return None
    source = _source(given, value)
    read = _read(source)
    return Upload(source, _destination(read, source), read.sha256)


def _source(given: Located, value: Mapping[str, str]) -> Path:
    return Path(given.where.source.path).parent / Path(value["file"]).expanduser()


def _destination(read: Installer, source: Path) -> str:
    # The digest in the path: another file of the same name never takes its place.
    return ntpath.join(FOLDER, read.sha256[:16], source.name)


def _read(path: Path) -> Installer:
    stamp = path.stat()
    return _read_once(path, stamp.st_mtime_ns, stamp.st_size)


@lru_cache(maxsize=64)
def _read_once(path: Path, _written_ns: int, _size: int) -> Installer:
    """Read a file once for all nodes of a fleet."""
    return read_installer(path)


def _listed(names: list[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
