"""What an .msi file says of itself: read from its Property table, with nothing of it run.

An .msi file is a compound file (MS-CFB) whose streams are the tables of a database. Microsoft documents the
database (Windows Installer, "Property table") but not how it lies in the streams; msitools, which others wrote, is
the witness in the tests.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import olefile

from provisioner.errors import ProvisionerError

# olefile types nothing of it.
_OleFile: Any = olefile.OleFileIO
_CHUNK: Final = 1 << 20
#: Streams of tables have this character in front of their packed name.
_TABLE: Final = "\u4840"
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_PAIR, _SINGLE, _END = 0x3800, 0x4800, 0x4840
#: What olefile raises for a damaged file, besides its own errors.
_DAMAGED: Final = (IndexError, MemoryError, OSError, OverflowError, TypeError, ValueError, struct.error)
#: With this bit in the header of the string pool, tables refer to strings by three bytes.
_LONG_REFERENCES: Final = 0x8000
#: A GUID in braces.
GUID: Final = re.compile(r"\{[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}")
_UTF8: Final = 65001


class NoInstaller(ProvisionerError):
    """A file is no .msi file, or one that cannot be read. The text says what is wrong, without the path."""


@dataclass(frozen=True, slots=True)
class Installer:
    """What an .msi file is. Codes are GUIDs in braces and capitals; ``upgrade_code`` is empty without a family.

    ``sha256`` is that of the whole file in small hexadecimal digits; ``size`` counts bytes.
    """

    product_code: str
    version: str
    name: str
    manufacturer: str
    upgrade_code: str
    sha256: str
    size: int


def read_installer(path: Path) -> Installer:
    """Read an .msi file.

    Raises:
        OSError: the file cannot be read.
        NoInstaller: it is no .msi file.
    """
    sha256, size = digest_of(path)
    properties = _properties(path)
    missing = [name for name in ("ProductCode", "ProductVersion", "ProductName") if not properties.get(name)]
    if missing:
        raise NoInstaller(
            f"it is a Windows Installer file without {' and '.join(missing)}, as a merge module is"
        )
    code, family = properties["ProductCode"], properties.get("UpgradeCode", "")
    if not GUID.fullmatch(code) or (family and not GUID.fullmatch(family)):
        raise NoInstaller(f"its ProductCode {code!r} or UpgradeCode {family!r} is not a GUID in braces")
    return Installer(
        product_code=code.upper(),
        version=properties["ProductVersion"],
        name=properties["ProductName"],
        manufacturer=properties.get("Manufacturer", ""),
        upgrade_code=family.upper(),
        sha256=sha256,
        size=size,
    )


def digest_of(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, in small hexadecimal digits, and its size in bytes."""
    found, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
            size += len(chunk)
    return found.hexdigest(), size


def _properties(path: Path) -> dict[str, str]:
    """Return the Property table."""
    try:
        with _OleFile(str(path)) as file:
            streams = {_unpacked(entry[0]): entry for entry in file.listdir() if len(entry) == 1}
            pool, data, table = (
                file.openstream(streams[name]).read()
                for name in ("!_StringPool", "!_StringData", "!Property")
            )
    except KeyError as error:
        raise NoInstaller(f"it is no .msi file: it has no table {error}") from error
    except (*_DAMAGED, olefile.olefile.OleFileError) as error:
        raise NoInstaller(f"it is no .msi file ({error})") from error
    try:
        strings, width = _strings(pool, data)
        return _pairs(table, strings, width)
    except (*_DAMAGED, LookupError) as error:
        raise NoInstaller(f"it is a damaged .msi file ({error})") from error


def _unpacked(stream: str) -> str:
    """Undo how names of tables are packed: two of 64 characters in one. A table's name gets ``!`` in front."""
    found = []
    for character in stream:
        number = ord(character)
        if character == _TABLE:
            found.append("!")
        elif _PAIR <= number < _SINGLE:
            number -= _PAIR
            found += [_DIGITS[number & 0x3F], _DIGITS[number >> 6]]
        elif _SINGLE <= number < _END:
            found.append(_DIGITS[number - _SINGLE])
        else:
            found.append(character)
    return "".join(found)


def _strings(pool: bytes, data: bytes) -> tuple[list[str], int]:
    """Return the strings by number, the first one empty, and the bytes of a reference to one."""
    page, flags = struct.unpack_from("<HH", pool)
    encoding = {0: "cp1252", _UTF8: "utf-8"}.get(page, f"cp{page}")
    strings, at = [""], 0
    for length in _lengths(pool):
        if at + length > len(data):
            raise IndexError("its texts end too early")
        strings.append(data[at : at + length].decode(encoding))
        at += length
    return strings, 3 if flags & _LONG_REFERENCES else 2


def _lengths(pool: bytes) -> Iterator[int]:
    """Yield the length of each string. An entry is length and number of uses; both 0 is a string nobody uses."""
    entries = struct.iter_unpack("<HH", pool[4 : len(pool) - len(pool) % 4])
    for length, uses in entries:
        if length or not uses:
            yield length
        else:
            # A string of 64 KiB and more: the next entry is its length.
            low, high = next(entries, (0, 0))
            yield (high << 16) + low


def _pairs(table: bytes, strings: list[str], width: int) -> dict[str, str]:
    """Read a table of two columns of strings: all of the first column, then all of the second."""
    rows = len(table) // (2 * width)
    numbers = [int.from_bytes(table[at : at + width], "little") for at in range(0, 2 * rows * width, width)]
    return {strings[numbers[row]]: strings[numbers[rows + row]] for row in range(rows)}
