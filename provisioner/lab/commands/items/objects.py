"""The objects of files, folders and registry keys as PowerShell 5.1 shows them."""

from __future__ import annotations

import ntpath
from datetime import datetime
from typing import Any

from provisioner.lab.commands.items.paths import Item, RegistryKey
from provisioner.lab.machine.ground.files import Entry, parent_of
from provisioner.lab.machine.machine import Machine
from provisioner.lab.values import EnumValue, Int64, PsObject

_FILE = ("System.IO.FileInfo", "System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object")
_FOLDER = ("System.IO.DirectoryInfo", *_FILE[1:])
_KEY = ("Microsoft.Win32.RegistryKey", "System.MarshalByRefObject", "System.Object")
_ATTRIBUTES = {"ReadOnly": 1, "Hidden": 2, "System": 4, "Directory": 16, "Archive": 32, "Normal": 128}
_FILES, _REGISTRY = "Microsoft.PowerShell.Core\\FileSystem", "Microsoft.PowerShell.Core\\Registry"


def item_object(item: Item, machine: Machine) -> PsObject:
    """Give a file, folder or key."""
    return _key(item, machine) if isinstance(item, RegistryKey) else _entry(item, machine)


def provider_notes(item: Item) -> dict[str, Any]:
    """Give the note properties every provider item carries."""
    if isinstance(item, RegistryKey):
        above, _, name = item.full_name.rpartition("\\")
        return _notes(_REGISTRY, item.full_name, above, name, "HKLM")
    above = parent_of(item.path)
    return _notes(_FILES, item.path, "" if above == item.path else above, item.name, item.path[:1])


def _notes(provider: str, path: str, above: str, name: str, drive: str) -> dict[str, Any]:
    return {
        "PSPath": f"{provider}::{path}",
        "PSParentPath": f"{provider}::{above}" if above else "",
        "PSChildName": name,
        "PSDrive": drive,
        "PSProvider": provider,
    }


def _entry(entry: Entry, machine: Machine) -> PsObject:
    written = datetime.fromisoformat(entry.written) if entry.written else machine.boot_time
    flags = entry.attributes.replace(" ", "").split(",")
    shared: dict[str, Any] = {
        "Name": entry.name,
        "FullName": entry.path,
        "Extension": ntpath.splitext(entry.name)[1],
        "Exists": True,
        "CreationTime": written,
        "CreationTimeUtc": written,
        "LastAccessTime": written,
        "LastAccessTimeUtc": written,
        "LastWriteTime": written,
        "LastWriteTimeUtc": written,
        "Attributes": EnumValue(
            "System.IO.FileAttributes", entry.attributes, sum(_ATTRIBUTES.get(flag, 0) for flag in flags)
        ),
    }
    notes = {**provider_notes(entry), "PSIsContainer": entry.is_folder, "Mode": _mode(flags)}
    if entry.content is None:
        above = parent_of(entry.path)
        values = {**shared, "Parent": ntpath.basename(above), "Root": entry.path[:3]}
        return PsObject(_FOLDER, values, {**notes, "BaseName": entry.name}, entry.name)
    values = {
        **shared,
        "Length": Int64(len(entry.content)),
        "DirectoryName": parent_of(entry.path),
        "IsReadOnly": "ReadOnly" in flags,
    }
    return PsObject(_FILE, values, {**notes, "BaseName": ntpath.splitext(entry.name)[0]}, entry.name)


def _mode(flags: list[str]) -> str:
    letters = (("d", "Directory"), ("a", "Archive"), ("r", "ReadOnly"), ("h", "Hidden"), ("s", "System"))
    return "".join(letter if name in flags else "-" for letter, name in letters) + "-"


def _key(key: RegistryKey, machine: Machine) -> PsObject:
    names = list(machine.registry.values(key.path))
    return PsObject(
        _KEY,
        {
            "SubKeyCount": len(machine.registry.subkeys(key.path)),
            "ValueCount": len(names),
            "Name": key.full_name,
        },
        {**provider_notes(key), "PSIsContainer": True, "Property": names},
        key.full_name,
    )
