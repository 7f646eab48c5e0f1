"""Convert one plain value to what a MOF document holds for a property, or say why that is impossible.

The rules are those of Windows PowerShell where it has any: a single value becomes an array of one, a number
becomes text, allowed values are found without regard to case. Where PowerShell is lenient at the price of
surprises, this is strict: text never becomes a number or a boolean, a boolean never becomes text.
Source: mof-format, section 4.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from provisioner.catalogue.schema import CimType
from provisioner.configuration.limits import WrongValue, check_item
from provisioner.diagnostics import did_you_mean
from provisioner.inventory.schema import is_reference
from provisioner.roles.model import kind_of

if TYPE_CHECKING:
    from provisioner.catalogue.schema import Property
    from provisioner.configuration.shapes import Slot
    from provisioner.diagnostics import Diagnostics
    from provisioner.roles.model import Value

_DATETIME = re.compile(r"(\d{14})\.\d{6}(?:[+-]\d{3}|:000)")
#: A moment as ISO 8601 writes it. Without an offset it would mean another moment on every node.
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)")
_NO_OFFSET = re.compile(r"\d{4}-\d\d-\d\d")
#: What neither a MOF text nor the XML around it on the wire can carry.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LARGEST_REAL32 = 3.4028234663852886e38
#: Longest list of allowed words a message repeats.
MOST_LISTED = 8
_LAST_CHAR16 = 0xFFFF

_WANTED = {
    CimType.STRING: "text",
    CimType.BOOLEAN: "true or false",
    CimType.DATETIME: "a date and time like 2025-01-31T12:00:00+00:00 or 20250131120000.000000+000",
    CimType.CHAR16: "one character",
    CimType.REAL32: "a number",
    CimType.REAL64: "a number",
}


def convert_item(slot: Slot, value: Value, problems: Diagnostics) -> Any:
    """Return one value as the document holds it: str, bool, int or float.

    None when it is wrong; the problem is recorded at its position.
    """
    try:
        item = _typed(slot, value)
        if slot.is_limited:
            check_item(slot, item)
    except WrongValue as wrong:
        problems.error(wrong.summary, wrong.detail, value.where, wrong.help)
        return None
    # Files have such names too ('file:///C:/x'), variables of the environment hardly do.
    if isinstance(item, str) and item.startswith("env:") and is_reference(item):
        problems.warning(
            "Reference is sent as text",
            f"'{slot.prop.name}' takes text, so the node gets '{item}' and not the secret it stands for.",
            value.where,
            "Only credentials and named secrets are looked up; this property would hold a secret in clear.",
        )
    return item


def speakable(name: str, text: str) -> str:
    """Return a text as it is.

    Raises:
        WrongValue: It holds a character no node can be sent. ``name`` says of what the text is the value.
    """
    found = UNSPEAKABLE.search(text)
    if found:
        raise WrongValue(
            "Character cannot be part of a document",
            f"'{name}' contains the character U+{ord(found[0]):04X}, which no node can be sent.",
        )
    return text


def _typed(slot: Slot, value: Value) -> Any:
    prop = slot.prop
    data = value.data
    match prop.type, data:
        case _, str() | int() | float() if slot.words and not isinstance(data, bool):
            return _allowed(slot, value)
        case CimType.STRING, str():
            return speakable(prop.name, data)
        case CimType.STRING, int() | float() if not isinstance(data, bool):
            return value.text or str(data)
        case CimType.BOOLEAN, bool():
            return data
        case CimType.DATETIME, str():
            if moment := _moment(data):
                return moment
        case CimType.CHAR16, str() if len(data) == 1 and ord(data) <= _LAST_CHAR16:
            return speakable(prop.name, data)
        case ((CimType.REAL32 | CimType.REAL64), int() | float()) if not isinstance(data, bool):
            return _real(prop, data)
        case _, int() if slot.integers and not isinstance(data, bool):
            return _in_range(prop, slot.integers, data)
        case _:
            pass
    raise wrong_type(prop, data)


def wrong_type(prop: Property, data: Any) -> WrongValue:
    """Return the problem that a value is of another kind than its property."""
    wanted = _WANTED.get(prop.type, "an integer")
    return WrongValue(
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
    if prop.type is CimType.DATETIME and isinstance(data, str) and _NO_OFFSET.match(data):
        return "State the offset from UTC as well: without one it is another moment on every node."
    return ""


def _moment(text: str) -> str:
    """Return a date and time in the form of CIM; empty when the text is none."""
    if found := _DATETIME.fullmatch(text):
        is_interval = text.endswith(":000")
        return text if is_interval or _is_date(found[1]) else ""
    if not _ISO.fullmatch(text):
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    offset = moment.utcoffset() or timedelta()
    return f"{moment:%Y%m%d%H%M%S.%f}{int(offset.total_seconds() // 60):+04d}"


def _is_date(digits: str) -> bool:
    try:
        # The offset is not part of what is asked here.
        datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError:
        return False
    return True


def _real(prop: Property, number: float) -> float:
    try:
        found = float(number)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise WrongValue(
            "Number is out of range", f"'{prop.name}' is a {prop.type.value}, which has no such number."
        )
    if prop.type is CimType.REAL32 and abs(found) > _LARGEST_REAL32:
        raise WrongValue(
            "Number is out of range",
            f"'{prop.name}' is a real32: up to {_LARGEST_REAL32:.7g} on both sides of 0.",
        )
    return found


def _in_range(prop: Property, bounds: tuple[int, int], number: int) -> int:
    lowest, highest = bounds
    if lowest <= number <= highest:
        return number
    raise WrongValue(
        "Number is out of range",
        f"'{prop.name}' is a {prop.type.value}: from {lowest} to {highest}, and this is {number}.",
    )


def listed(words: tuple[str, ...]) -> str:
    """Return the words of a message; of a long list only the first ones."""
    rest = f" and {len(words) - MOST_LISTED} more" if len(words) > MOST_LISTED + 1 else ""
    return ", ".join(words[:MOST_LISTED] if rest else words) + rest


def _allowed(slot: Slot, value: Value) -> Any:
    """Return the entry of the ValueMap for what the author wrote, which is in Values where there are any."""
    prop, data = slot.prop, value.data
    is_number = prop.type is not CimType.STRING
    if slot.integers and isinstance(data, float):
        raise wrong_type(prop, data)
    entry = slot.words.get(data.casefold() if isinstance(data, str) else (value.text or str(data)).casefold())
    if entry is None and is_number and not isinstance(data, str) and str(data) in prop.value_map:
        # A number needs no name: it can only mean itself.
        entry = str(data)
    if entry is None:
        words = prop.values or prop.value_map
        if is_number and isinstance(data, str) and not prop.values:
            raise wrong_type(prop, data)
        raise WrongValue(
            "Value is not allowed",
            f"'{prop.name}' is one of: {listed(words)}. This is '{data}'.",
            did_you_mean(data, words) if isinstance(data, str) and len(words) > 1 else "",
        )
    if slot.integers:
        return int(entry)
    return float(entry) if is_number else entry
