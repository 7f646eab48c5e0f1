"""Data of registry values: from the texts of a document, compared and shown as the resource does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from provisioner.lab.machine.ground.registry import Value
from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.binding import invalid_argument, is_same

INVOCATION = "System.Management.Automation.MethodInvocationException"
_NUMBER = re.compile(r"[ \t-\r]*[+-]?[0-9]+[ \t-\r]*")
_HEX = re.compile(r"[ \t-\r]*([0-9A-Fa-f]+)[ \t-\r]*")
#: By kind: bits, name of the .NET type, name of the function that converts.
_INTEGERS = {
    "dword": (32, "Int32 (dword)", "ConvertTo-DWord"),
    "qword": (64, "Int64 (qword)", "ConvertTo-QWord"),
}


def convert(data: Sequence[str], kind: str, *, is_hex: bool) -> Any:
    """Give data as they are stored; None where the module arrives at null, which cannot be written."""
    folded = kind.casefold()
    if folded == "multistring":
        return list(data) or None
    if len(data) > 1:
        shown = {"dword": "Dword", "qword": "Qword", "binary": "Binary"}.get(folded, "String or ExpandString")
        raise invalid_argument(
            f"The specified value data has been declared as a string array, but the registry key type {shown} "
            "cannot be converted from an array. Please declare the value data as only one string or use the "
            "registry type MultiString.",
            "ValueData",
        )
    text = data[0] if data else ""
    if folded == "binary":
        return _binary(text)
    if folded in _INTEGERS:
        return _integer(text, folded, is_hex=is_hex)
    return text


def _binary(text: str) -> str | None:
    if not text:
        return None
    digits = text.removeprefix("0x")
    if len(digits) % 2:
        digits = "0" + digits
    found = [_HEX.fullmatch(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    if None in found:
        raise invalid_argument(
            f"The specified registry key value data {digits} is not in the correct hex format to parse as a Byte "
            "array (Binary).",
            "ValueData",
        )
    return "".join(f"{int(byte[1], 16):02x}" for byte in found if byte) or None


def _integer(text: str, kind: str, *, is_hex: bool) -> int:
    bits, type_name, function = _INTEGERS[kind]
    if not text:
        return 0
    if is_hex:
        digits = text.removeprefix("0x")
        found = _HEX.fullmatch(digits)
        number = int(found[1], 16) if found else 2**bits
        if number >= 2**bits:
            raise invalid_argument(
                f"The specified registry key value data {digits} is not in the correct hex format to parse as an "
                f"{type_name}.",
                "ValueData",
            )
        return number - 2**bits if number >= 2 ** (bits - 1) else number
    if not _NUMBER.fullmatch(text):
        raise _unparsable("Input string was not in a correct format.", "FormatException", function)
    number = int(text)
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        why = f"Value was either too large or too small for an Int{bits}."
        raise _unparsable(why, "OverflowException", function)
    return number


def _unparsable(why: str, name: str, function: str) -> ResourceError:
    return ResourceError(
        f'Exception calling "Parse" with "1" argument(s): "{why}"',
        f"{name},{function}",
        "NotSpecified",
        INVOCATION,
    )


def is_equal(wanted: Any, actual: Value, kind: str) -> bool:
    """Compare as the module does: lists and bytes as unordered sets, the rest as PowerShell's ``-ieq``.

    ``kind`` is the one that is wanted; the value may be of another.
    """
    folded = kind.casefold()
    if folded in {"multistring", "binary"}:
        items = bytes.fromhex(wanted or "") if folded == "binary" else wanted or ()
        return _folded(items) == _folded(_items(actual))
    if not isinstance(wanted, int):
        return is_same(wanted, " ".join(map(str, _items(actual))))
    if isinstance(actual.data, int):
        return wanted == actual.data
    return actual.kind in {"String", "ExpandString"} and _as_number(str(actual.data)) == wanted


def _items(value: Value) -> list[Any]:
    if value.kind == "Binary":
        return list(bytes.fromhex(str(value.data)))
    return list(value.data) if isinstance(value.data, list) else [value.data]


def _folded(items: Iterable[Any]) -> list[str]:
    return sorted(str(item).casefold() for item in items)


def _as_number(text: str) -> int | None:
    """Convert a text as PowerShell does to compare it with a number: none is 0, and parts are rounded."""
    bare = text.strip()
    try:
        return int(bare, 16) if bare[:2].casefold() == "0x" else round(float(bare or "0"))
    except (ValueError, OverflowError):
        return None


def shown(value: Value) -> str:
    """Give data as one text, as Get answers them: only of several texts there is a list."""
    if isinstance(value.data, list):
        return f"({', '.join(value.data)})" if len(value.data) > 1 else "".join(value.data)
    return str(value.data)
