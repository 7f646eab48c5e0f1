r"""PowerShell modules of a machine: folders below Program Files, as Windows PowerShell finds them.

A module is there when a manifest that can be read lies in ``<Name>\<Version>`` and says that version, or in
``<Name>`` itself. Whoever puts such files there has installed it; whoever damages or removes the manifest has
broken it. Source: layout and version choice of module folders (LCM facts 6.1).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from provisioner.lab.machine.area import Ledger
from provisioner.lab.machine.ground.files import Entry, Files

#: The folder of modules for all users, the only one an LCM looks into besides that of Windows.
FOLDER: Final = r"C:\Program Files\WindowsPowerShell\Modules"
#: Part of Windows itself; its folder is not among the others.
IN_BOX: Final = "PSDesiredStateConfiguration"

_VERSION: Final = re.compile(
    r"""(?:^|[;{])[ \t]*['"]?ModuleVersion['"]?[ \t]*=[ \t]*(['"])([0-9.]+)\1""", re.IGNORECASE | re.MULTILINE
)
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


def manifest_path(name: str, version: str) -> str:
    """Give the path of a module's manifest in a folder of its version."""
    return rf"{FOLDER}\{name}\{version}\{name}.psd1"


def seed(files: Files, modules: Mapping[str, Sequence[str]]) -> None:
    """Put modules there as part of the machine's first state; a manifest stands for all their files."""
    if "C" in files.volumes:
        files.share(_seeds(tuple((name, tuple(versions)) for name, versions in modules.items())))


def is_there(files: Files, name: str, version: str) -> bool:
    """Whether exactly this version can be used; a newer one does not satisfy."""
    if name.casefold() == IN_BOX.casefold():
        return True
    places = (manifest_path(name, version), rf"{FOLDER}\{name}\{name}.psd1")
    return any(_version_in(files, path) == version for path in places)


def versions(files: Files, name: str) -> list[str]:
    """Give the versions of a module that can be used, as its manifests say."""
    if not files.is_folder(rf"{FOLDER}\{name}"):
        return []
    folders = [item for item in files.children(rf"{FOLDER}\{name}") if item.is_folder]
    # Side by side with others a version counts only in the folder of its name.
    found = [item.name for item in folders if _version_in(files, manifest_path(name, item.name)) == item.name]
    flat = _version_in(files, rf"{FOLDER}\{name}\{name}.psd1")
    return [*found, *([flat] if flat else [])]


def _version_in(files: Files, path: str) -> str:
    """Read ModuleVersion from a manifest; empty when there is none, or none that PowerShell could read."""
    entry = files.find(path)
    if entry is None or entry.content is None:
        return ""
    encoding = "utf-16" if entry.content[:2] in _UTF16_MARKS else "utf-8-sig"
    text = _without_blocks(entry.content.decode(encoding, "replace"))
    whole = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#")).strip()
    found = _VERSION.search(whole) if whole.startswith("@{") and whole.endswith("}") else None
    return found[2] if found else ""


def _without_blocks(text: str) -> str:
    """Take ``<# comments #>`` out; one that never ends takes the rest."""
    parts: list[str] = []
    rest = text
    while rest:
        before, mark, inside = rest.partition("<#")
        parts.append(before)
        rest = inside.partition("#>")[2] if mark else ""
    return "".join(parts)


@cache
def _seeds(modules: tuple[tuple[str, tuple[str, ...]], ...]) -> Mapping[str, Entry]:
    """Make the files and folders of modules, once for all machines that have the same ones."""
    scratch = Files(Ledger(), {"C": 0})
    before = scratch.entries()
    for name, versions in modules:
        if name.casefold() != IN_BOX.casefold():
            for version in versions:
                scratch.seed(manifest_path(name, version), _manifest(name, version))
    return {path: entry for path, entry in scratch.entries().items() if path not in before}


def _manifest(name: str, version: str) -> bytes:
    guid = uuid.uuid5(uuid.NAMESPACE_DNS, name)
    text = f"@{{\r\n    ModuleVersion = '{version}'\r\n    GUID = '{guid}'\r\n    RootModule = ''\r\n}}\r\n"
    return text.encode()
