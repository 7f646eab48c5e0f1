"""PowerShell paths: which provider they mean, what they match, and the errors of those that lead nowhere."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.ground.files import Entry, Files, normal
from provisioner.lab.machine.ground.registry import Registry
from provisioner.lab.values import ErrorRecord, PsObject

_REGISTRY = re.compile(
    r"(?:Microsoft\.PowerShell\.Core\\)?(?:Registry::)?(?:HKLM:|HKEY_LOCAL_MACHINE)(?:[\\/]|$)", re.IGNORECASE
)
_FILE_PREFIX = re.compile(r"(?:Microsoft\.PowerShell\.Core\\)?FileSystem::", re.IGNORECASE)
_HOME = "C:\\Users\\Public\\Documents"


@dataclass(frozen=True, slots=True)
class RegistryKey:
    """A key below HKEY_LOCAL_MACHINE; ``path`` without the hive."""

    path: str

    @property
    def full_name(self) -> str:
        """Name as .NET gives it."""
        return f"HKEY_LOCAL_MACHINE\\{self.path}".rstrip("\\")


Item = Entry | RegistryKey


async def items(invocation: Invocation, type_name: str, activity: str) -> AsyncIterator[Item]:
    """Yield what -LiteralPath, -Path (with wildcards) or the pipeline lead to; write an error for the rest."""
    for path, is_literal in await given_paths(invocation):
        found = resolve(path, invocation, is_literal=is_literal)
        for item in found:
            yield item
        if not found and (is_literal or not has_wildcard(path)):
            invocation.output.error(not_found(path, invocation, type_name, activity))


async def given_paths(invocation: Invocation) -> list[tuple[str, bool]]:
    """Give the paths of an invocation, each with whether it is meant literally."""
    parameters = invocation.parameters
    if "LiteralPath" in parameters:
        return [(path, True) for path in texts(parameters["LiteralPath"])]
    if "Path" in parameters:
        return [(path, False) for path in texts(parameters["Path"])]
    return [(_path_of(item), True) async for item in invocation.input]


def resolve(path: str, invocation: Invocation, *, is_literal: bool) -> list[Item]:
    """Give the items a path leads to."""
    machine = invocation.node.machine
    prefix = _REGISTRY.match(path)
    if prefix:
        return _keys(path[prefix.end() :], machine.registry, is_literal=is_literal)
    bare = full(path)
    if is_literal or not has_wildcard(bare):
        entry = machine.files.find(bare)
        return [entry] if entry else []
    return matching(bare, machine.files)


def matching(pattern: str, files: Files) -> list[Item]:
    """Give the files and folders a path with wildcards matches; no wildcard reaches across a backslash."""
    wanted = re.compile(_to_regex(normal(pattern)), re.IGNORECASE)
    found = [entry for path in files.paths() if wanted.fullmatch(path) and (entry := files.find(path))]
    return sorted(found, key=lambda entry: entry.path.casefold())


def has_wildcard(path: str) -> bool:
    """Whether a path contains characters of a wildcard pattern."""
    return any(char in path for char in "*?[")


def not_found(path: str, invocation: Invocation, type_name: str, activity: str) -> ErrorRecord:
    """Make the error of a path that leads nowhere: PathNotFound, or DriveNotFound for an unknown drive."""
    drive = re.match(r"(\w+):", _FILE_PREFIX.sub("", path))
    known = {*invocation.node.machine.files.volumes, "HKLM", "CERT"}
    if drive and drive[1].upper() not in known and "::" not in path:
        return ErrorRecord(
            f"Cannot find drive. A drive with the name '{drive[1]}' does not exist.",
            f"DriveNotFound,{type_name}",
            "ObjectNotFound",
            "System.Management.Automation.DriveNotFoundException",
            activity,
            drive[1],
        )
    is_file = not _REGISTRY.match(path) and (drive is None or drive[1].upper() != "CERT")
    shown = full(path) if is_file else path
    return ErrorRecord(
        f"Cannot find path '{shown}' because it does not exist.",
        f"PathNotFound,{type_name}",
        "ObjectNotFound",
        "System.Management.Automation.ItemNotFoundException",
        activity,
        path,
    )


def is_registry(path: str) -> bool:
    """Whether a path belongs to the registry provider."""
    return bool(_REGISTRY.match(path))


def registry_path(path: str) -> str:
    """Give the path of a key without drive or hive."""
    return _REGISTRY.sub("", path, count=1).replace("/", "\\").strip("\\")


def full(path: str) -> str:
    """Give the whole path of a file, below the home folder when it has no drive."""
    bare = _FILE_PREFIX.sub("", path)
    if re.match(r"\w:[\\/]", bare) or bare.startswith("\\\\"):
        return normal(bare)
    if re.fullmatch(r"\w:", bare):
        return normal(bare + "\\")
    return normal(f"{_HOME}\\{bare}")


def _keys(path: str, registry: Registry, *, is_literal: bool) -> list[Item]:
    parts = [part for part in re.split(r"[\\/]", path) if part]
    found = [""]
    for part in parts:
        if is_literal or not has_wildcard(part):
            found = [f"{above}\\{part}".lstrip("\\") for above in found]
            found = [key for key in found if registry.has_key(key)]
        else:
            wanted = re.compile(_to_regex(part), re.IGNORECASE)
            found = [
                f"{above}\\{name}".lstrip("\\")
                for above in found
                for name in registry.subkeys(above)
                if wanted.fullmatch(name)
            ]
    return [RegistryKey(key) for key in found]


def _to_regex(pattern: str) -> str:
    parts = re.split(r"(\*|\?|\[[^\]]+\])", pattern)
    known = {"*": r"[^\\]*", "?": r"[^\\]"}
    return "".join(known.get(part) or (part if part.startswith("[") else re.escape(part)) for part in parts)


def _path_of(item: Any) -> str:
    if isinstance(item, PsObject):
        values = {**item.properties, **item.extended}
        return str(values.get("PSPath") or values.get("FullName") or values.get("Path"))
    return str(item)
