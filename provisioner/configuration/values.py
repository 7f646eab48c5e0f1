"""Convert one evaluated value to what a MOF document holds for a property, or say why that is impossible.

The rules are those of Windows PowerShell where it has any: a single value becomes an array of one, a number
becomes text, allowed values are found without regard to case. Where PowerShell is lenient at the price of
surprises, this is strict: text never becomes a number or a boolean, a boolean never becomes text.
Source: mof-format, section 4.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from provisioner.catalogue.schema import CimType
from provisioner.diagnostics import did_you_mean
from provisioner.roles.model import kind_of

if TYPE_CHECKING:
    from provisioner.catalogue.schema import Property
    from provisioner.diagnostics import Diagnostics
    from provisioner.roles.model import Value

_DATETIME = re.compile(r"\d{14}\.\d{6}[+-]\d{3}")
#: What neither a MOF text nor the XML around it on the wire can carry.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_WANTED = {
    CimType.STRING: "text",
    CimType.BOOLEAN: "true or false",
    CimType.DATETIME: "a date and time like 20250131120000.000000+000",
    CimType.CHAR16: "one character",
    CimType.REAL32: "a number",
    CimType.REAL64: "a number",
}


class WrongValue(Exception):
    """A value cannot be converted. ``help`` says what to do."""

    def __init__(self, summary: str, detail: str, help: str = "") -> None:
        self.summary = summary
        self.detail = detail
        self.help = help
        super().__init__(detail)


def convert(prop: Property, value: Value, problems: Diagnostics) -> Any:
    """Return what the document holds: str, bool, int, float, or a tuple of one of these.

    None when the value is wrong; the problem is recorded at the position of the wrong part.
    """
    if prop.embedded_class:
        _refuse_embedded(prop, value, problems)
        return None
    if not prop.is_array:
        return _one(prop, value, problems)
    if not isinstance(value.data, list | tuple):
        single = _one(prop, value, problems)
        return None if single is None else (single,)
    parts = value.items or tuple(type(value)(part, value.where) for part in value.data)
    found = [_one(prop, part, problems) for part in parts if part.data is not None]
    return None if None in found else tuple(found)


def _refuse_embedded(prop: Property, value: Value, problems: Diagnostics) -> None:
    if prop.embedded_class == "MSFT_Credential":
        problems.error(
            "Property takes a credential",
            f"'{prop.name}' takes a credential, and a document without encryption must not hold one.",
            value.where,
            "Leave it out: without it a resource runs as the node's own account.",
        )
    else:
        problems.error(
            "Property takes an embedded object",
            f"'{prop.name}' takes an object of class {prop.embedded_class}, and a document can hold plain "
            "values only.",
            value.where,
        )


def _one(prop: Property, value: Value, problems: Diagnostics) -> Any:
    try:
        return _allowed(prop, _typed(prop, value))
    except WrongValue as wrong:
        problems.error(wrong.summary, wrong.detail, value.where, wrong.help)
        return None


def _typed(prop: Property, value: Value) -> Any:
    data = value.data
    match prop.type, data:
        case CimType.STRING, str():
            return _speakable(prop, data)
        case CimType.STRING, int() | float() if not isinstance(data, bool):
            return value.text or str(data)
        case CimType.BOOLEAN, bool():
            return data
        case CimType.DATETIME, str() if _DATETIME.fullmatch(data):
            return data
        case ((CimType.REAL32 | CimType.REAL64), int() | float()) if not isinstance(data, bool):
            if math.isfinite(data):
                return float(data)
        case _, int() if prop.type.integer_range and not isinstance(data, bool):
            return _in_range(prop, data)
        case _:
            pass
    wanted = _WANTED.get(prop.type, "an integer")
    raise WrongValue(
        "Property has the wrong type",
        f"'{prop.name}' is {wanted} ({prop.type.value}{'[]' if prop.is_array else ''}), "
        f"and this is {kind_of(data)}.",
        _advice(prop, data),
    )


def _advice(prop: Property, data: Any) -> str:
    if prop.type is CimType.STRING and isinstance(data, bool):
        return "Put it in quotes if the text is meant."
    if prop.type is CimType.BOOLEAN and isinstance(data, str):
        return "Write true or false without quotes."
    if prop.type.integer_range and isinstance(data, str) and data.strip().isdigit():
        return "Write the number without quotes."
    return ""


def _speakable(prop: Property, text: str) -> str:
    found = _UNSPEAKABLE.search(text)
    if found:
        raise WrongValue(
            "Character cannot be part of a document",
            f"'{prop.name}' contains the character U+{ord(found[0]):04X}, which no node can be sent.",
        )
    return text


def _in_range(prop: Property, number: int) -> int:
    lowest, highest = prop.type.integer_range or (number, number)
    if lowest <= number <= highest:
        return number
    raise WrongValue(
        "Number is out of range",
        f"'{prop.name}' is a {prop.type.value}: from {lowest} to {highest}, and this is {number}.",
    )


def _allowed(prop: Property, item: Any) -> Any:
    """Return the entry of the ValueMap for what the author wrote, which is in Values where there are any."""
    if not prop.value_map:
        return item
    words = prop.values or prop.value_map
    by_word = {word.casefold(): entry for word, entry in zip(words, prop.value_map, strict=True)}
    entry = by_word.get(str(item).casefold())
    if entry is None:
        raise WrongValue(
            "Value is not allowed",
            f"'{prop.name}' is one of: {', '.join(words)}. This is '{item}'.",
            did_you_mean(item, words) if isinstance(item, str) and len(words) > 1 else "",
        )
    return entry if isinstance(item, str) else type(item)(entry)
