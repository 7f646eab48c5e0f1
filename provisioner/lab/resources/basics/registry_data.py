"""Data of registry values: from the texts of a document, compared and shown as the resource does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from provisioner.lab.machine.registry import Value
from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.binding import invalid_argument, is_same

INVOCATION = "System.Management.Automation.MethodInvocationException"
_NUMBER = re.compile(r"\s*[+-]?\d+\s*")
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
    if not re.fullmatch(r"[0-9A-Fa-f]*", digits):
        raise invalid_argument(
            f"The specified registry key value data {digits} is not in the correct hex format to parse as a Byte "
            "array (Binary).",
            "ValueData",
        )
    return digits.lower()


def _integer(text: str, kind: str, *, is_hex: bool) -> int:
    bits, type_name, function = _INTEGERS[kind]
    if not text:
        return 0
    if is_hex:
        digits = text.removeprefix("0x")
        if not re.fullmatch(rf"[0-9A-Fa-f]{{1,{bits // 4}}}", digits):
            raise invalid_argument(
                f"The specified registry key value data {text} is not in the correct hex format to parse as an "
                f"{type_name}.",
                "ValueData",
            )
        number = int(digits, 16)
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


def is_equal(wanted: Any, actual: Any, kind: str) -> bool:
    """Compare as the module does: lists and bytes as unordered sets, the rest as PowerShell's ``-ieq``."""
    if kind.casefold() in {"multistring", "binary"}:
        return sorted(_items(wanted, kind)) == sorted(_items(actual, kind))
    if isinstance(wanted, int):
        found = _NUMBER.fullmatch(str(actual))
        return bool(found) and int(found[0]) == wanted if found else False
    return is_same(wanted, " ".join(actual) if isinstance(actual, list) else actual)


def _items(data: Any, kind: str) -> list[str]:
    if data is None:
        return []
    if is_same(kind, "Binary") and isinstance(data, str):
        return [data[at : at + 2].casefold() for at in range(0, len(data), 2)]
    return [str(item).casefold() for item in (data if isinstance(data, list) else [data])]


def shown(value: Value) -> str:
    """Give data as one text, as Get answers them."""
    if isinstance(value.data, list):
        return f"({', '.join(value.data)})"
    return str(value.data)
