"""The registry: keys and values, by default those below HKEY_LOCAL_MACHINE.

Keys and value names keep their spelling and are compared without regard to case. Other hives are parts of the same
tree: HKEY_USERS beside the keys of the machine, the rest where Windows has them too.
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
SERVICING = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing"
UPDATE = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update"
#: Keys that are there while servicing or an update waits for a boot.
REBOOT_PENDING = rf"{SERVICING}\RebootPending"
REBOOT_REQUIRED = rf"{UPDATE}\RebootRequired"
#: How far Setup is with this Windows (ImageState).
SETUP_STATE = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State"
ENVIRONMENT = SESSION_MANAGER + r"\Environment"
_SYSTEM_USER = r"HKEY_USERS\S-1-5-18"
_HIVES = {
    "hklm": "",
    "hkey_local_machine": "",
    # What runs as SYSTEM, the LCM above all, has the hive of that account as its own.
    "hkcu": _SYSTEM_USER,
    "hkey_current_user": _SYSTEM_USER,
    "hku": "HKEY_USERS",
    "hkus": "HKEY_USERS",
    "hkcr": r"SOFTWARE\Classes",
    "hkey_classes_root": r"SOFTWARE\Classes",
    "hkcc": r"SYSTEM\CurrentControlSet\Hardware Profiles\Current",
    "hkey_current_config": r"SYSTEM\CurrentControlSet\Hardware Profiles\Current",
}
_ROOTS = {"", "hkey_users", _SYSTEM_USER.casefold(), r"software\classes"}


@dataclass(frozen=True, slots=True)
class Value:
    """One value.

    ``data``: str for (Expand)String, int for DWord and QWord, list of str for MultiString, for Binary the bytes in
    hexadecimal digits.
    """

    name: str
    kind: str
    data: Any


@dataclass(slots=True)
class _Key:
    path: str
    values: dict[str, Value] = field(default_factory=dict)


def _norm(path: str) -> str:
    # Names of keys may have slashes; a path without any backslash is one of PowerShell that is spelled with them.
    cleaned = (path if "\\" in path else path.replace("/", "\\")).strip("\\")
    root, _, rest = cleaned.partition("\\")
    hive = _HIVES.get(root.removesuffix(":").casefold())
    return cleaned if hive is None else f"{hive}\\{rest}".strip("\\")


def _values(*rows: tuple[str, str, str]) -> dict[str, Value]:
    return {name.casefold(): Value(name, kind, data) for name, kind, data in rows}


#: What a new Windows has in the environment of the machine; shared by all machines until they change it.
_FIRST_ENVIRONMENT = _values(
    ("ComSpec", "ExpandString", r"%SystemRoot%\system32\cmd.exe"),
    ("DriverData", "String", r"C:\Windows\System32\Drivers\DriverData"),
    ("NUMBER_OF_PROCESSORS", "String", "4"),
    ("OS", "String", "Windows_NT"),
    (
        "Path",
        "ExpandString",
        (
            r"%SystemRoot%\system32;%SystemRoot%;%SystemRoot%\System32\Wbem;"
            "%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\;%SYSTEMROOT%\\System32\\OpenSSH\\"
        ),
    ),
    ("PATHEXT", "String", ".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC"),
    ("PROCESSOR_ARCHITECTURE", "String", "AMD64"),
    (
        "PSModulePath",
        "ExpandString",
        r"%ProgramFiles%\WindowsPowerShell\Modules;%SystemRoot%\system32\WindowsPowerShell\v1.0\Modules",
    ),
    ("TEMP", "ExpandString", r"%SystemRoot%\TEMP"),
    ("TMP", "ExpandString", r"%SystemRoot%\TEMP"),
    ("USERNAME", "String", "SYSTEM"),
    ("windir", "ExpandString", "%SystemRoot%"),
)


class Registry:
    r"""Paths may carry the prefix of a hive, ``HKLM:\\`` or HKEY_USERS; without one they are below HKLM."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._keys: dict[str, _Key] = {}
        for path in (UNINSTALL, UNINSTALL_32, PREFETCH, SERVICING, UPDATE):
            self._make(path)
        self._make(ENVIRONMENT).values = _FIRST_ENVIRONMENT
        self._environment_at_boot: dict[str, Value] | None = None

    def has_key(self, path: str) -> bool:
        """Whether the key exists."""
        wanted = _norm(path).casefold()
        return wanted in _ROOTS or wanted in self._keys

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
        key = self._make(path)
        self._before_change(key)
        old = key.values.get(name.casefold())
        key.values[name.casefold()] = Value(old.name if old else name, kind, data)
        self._ledger.changed("registry", f"{_norm(path)} {name} written")

    def make_key(self, path: str) -> None:
        """Make a key and those above it; one that is there stays as it is."""
        if not self.has_key(path):
            self._make(path)
            self._ledger.changed("registry", f"{_norm(path)} made")

    def delete_value(self, path: str, name: str) -> None:
        """Remove a value; a missing one is no matter."""
        key = self._keys.get(_norm(path).casefold())
        if key and name.casefold() in key.values:
            self._before_change(key)
            del key.values[name.casefold()]
            self._ledger.changed("registry", f"{_norm(path)} {name} removed")

    def delete_key(self, path: str) -> None:
        """Remove a key and all below it."""
        wanted = _norm(path).casefold()
        for name in [name for name in self._keys if name == wanted or name.startswith(wanted + "\\")]:
            del self._keys[name]
        self._ledger.changed("registry", f"{_norm(path)} removed")

    def _before_change(self, key: _Key) -> None:
        if key.path.casefold() != ENVIRONMENT.casefold():
            return
        if self._environment_at_boot is None:
            self._environment_at_boot = dict(key.values)
        if key.values is _FIRST_ENVIRONMENT:
            key.values = dict(key.values)

    def environment_at_boot(self) -> dict[str, Value]:
        """Variables of the machine as they were at the last boot: what processes that run since then have."""
        if self._environment_at_boot is None:
            return self.values(ENVIRONMENT)
        return {value.name: value for value in self._environment_at_boot.values()}

    def on_boot(self) -> None:
        """Carry out the renames and the servicing that waited; new processes see the environment as it is now."""
        self.delete_value(SESSION_MANAGER, PENDING_RENAMES)
        for key in (REBOOT_PENDING, REBOOT_REQUIRED):
            if self.has_key(key):
                self.delete_key(key)
        self._environment_at_boot = None

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
            if key.values is _FIRST_ENVIRONMENT:
                continue
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
        if not self.has_key(ENVIRONMENT):
            self._make(ENVIRONMENT).values = _FIRST_ENVIRONMENT
