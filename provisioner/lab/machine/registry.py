"""The registry as far as the lab needs it: keys and values below HKEY_LOCAL_MACHINE.

Keys and value names keep their spelling and are compared without regard to case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from provisioner.lab.machine.area import Ledger

UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
UNINSTALL_32 = r"SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall"
SESSION_MANAGER = r"SYSTEM\CurrentControlSet\Control\Session Manager"
PREFETCH = SESSION_MANAGER + r"\Memory Management\PrefetchParameters"
PENDING_RENAMES = "PendingFileRenameOperations"


@dataclass(frozen=True, slots=True)
class Value:
    """One value. ``data``: str for (Expand)String, int for DWord and QWord, list of str for MultiString."""

    name: str
    kind: str
    data: Any


@dataclass(slots=True)
class _Key:
    path: str
    values: dict[str, Value] = field(default_factory=dict)


def _norm(path: str) -> str:
    cleaned = path.replace("/", "\\").strip("\\")
    for prefix in ("HKLM:", "HKEY_LOCAL_MACHINE", "HKLM"):
        if cleaned.casefold() == prefix.casefold():
            return ""
        if cleaned.casefold().startswith(prefix.casefold() + "\\"):
            return cleaned[len(prefix) + 1 :].strip("\\")
    return cleaned


class Registry:
    r"""Keys of HKLM. Paths may carry the prefix ``HKLM:\\`` or none."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._keys: dict[str, _Key] = {}
        for path in (UNINSTALL, UNINSTALL_32, PREFETCH):
            self._make(path)

    def has_key(self, path: str) -> bool:
        """Whether the key exists."""
        return _norm(path) == "" or _norm(path).casefold() in self._keys

    def subkeys(self, path: str) -> list[str]:
        """Names of the keys directly below, sorted."""
        above = _norm(path).casefold()
        start = above + "\\" if above else ""
        below = (key.path for name, key in self._keys.items() if name.startswith(start) and name != above)
        return sorted({name[len(start) :].split("\\")[0] for name in below}, key=str.casefold)

    def values(self, path: str) -> dict[str, Value]:
        """Values of a key by their spelled names; empty when there is no such key."""
        key = self._keys.get(_norm(path).casefold())
        return {value.name: value for value in key.values.values()} if key else {}

    def get(self, path: str, name: str) -> Any:
        """Data of a value, None when it or its key is missing."""
        key = self._keys.get(_norm(path).casefold())
        value = key.values.get(name.casefold()) if key else None
        return value.data if value else None

    def set(self, path: str, name: str, data: Any, kind: str = "") -> None:
        """Write a value, making the key and those above it."""
        if not kind:
            kind = {int: "DWord", list: "MultiString"}.get(type(data), "String")
        self._make(path).values[name.casefold()] = Value(name, kind, data)
        self._ledger.changed("registry", f"{_norm(path)} {name} written")

    def make_key(self, path: str) -> None:
        """Make a key and those above it; one that is there stays as it is."""
        if not self.has_key(path):
            self._make(path)
            self._ledger.changed("registry", f"{_norm(path)} made")

    def delete_value(self, path: str, name: str) -> None:
        """Remove a value; a missing one is no matter."""
        key = self._keys.get(_norm(path).casefold())
        if key and key.values.pop(name.casefold(), None):
            self._ledger.changed("registry", f"{_norm(path)} {name} removed")

    def delete_key(self, path: str) -> None:
        """Remove a key and all below it."""
        wanted = _norm(path).casefold()
        for name in [name for name in self._keys if name == wanted or name.startswith(wanted + "\\")]:
            del self._keys[name]
        self._ledger.changed("registry", f"{_norm(path)} removed")

    def _make(self, path: str) -> _Key:
        parts = _norm(path).split("\\")
        for depth in range(1, len(parts) + 1):
            spelled = "\\".join(parts[:depth])
            self._keys.setdefault(spelled.casefold(), _Key(spelled))
        return self._keys[_norm(path).casefold()]

    @property
    def has_pending_renames(self) -> bool:
        """Whether somebody left file renames for the next boot."""
        return self.get(SESSION_MANAGER, PENDING_RENAMES) is not None

    def add_pending_rename(self, source: str, target: str = "") -> None:
        """Queue a rename (or, without target, a deletion) for the next boot."""
        queued = self.get(SESSION_MANAGER, PENDING_RENAMES) or []
        self.set(
            SESSION_MANAGER, PENDING_RENAMES, [*queued, f"\\??\\{source}", target and f"!\\??\\{target}"]
        )

    def to_plain(self) -> list[list[Any]]:
        """Give every value as path, name, kind, data, and a bare path for each key without values."""
        plain: list[list[Any]] = []
        for key in self._keys.values():
            plain.append([key.path])
            plain.extend([key.path, value.name, value.kind, value.data] for value in key.values.values())
        return plain

    def load(self, plain: list[list[Any]]) -> None:
        """Take over what ``to_plain`` gave."""
        self._keys.clear()
        for path, *value in plain:
            key = self._make(path)
            if value:
                name, kind, data = value
                key.values[name.casefold()] = Value(name, kind, data)
