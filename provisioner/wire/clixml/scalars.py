"""The text of single values: what .NET's XmlConvert writes, and what it takes.

Reading is as strict and as lenient as XmlConvert: blanks around numbers are taken, digits of other scripts and
thousands separators are not. ``ValueError`` (or an ArithmeticError of a number that is too large) is a refusal.

Python counts microseconds where .NET counts a tenth of them: the last digit of a time is dropped.
"""

from __future__ import annotations

import base64
import math
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final
from xml.etree import ElementTree as ET

from provisioner.wire.clixml.values import Primitive

# Characters the serializer writes as _xHHHH_: controls, surrogates, and an underscore that would start an escape.
_ESCAPED: Final = re.compile("_(?=[xX])|[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]")
# U+FFFE and U+FFFF are no XML characters at all; real PowerShell sends references that parsers refuse.
_MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\ufffe": "_xFFFE_", "\uffff": "_xFFFF_"}
_MARKUP_FOUND: Final = re.compile("[&<>\ufffe\uffff]")
_ESCAPE: Final = re.compile("_[xX]([0-9a-fA-F]{4})_")
_BLANKS: Final = " \t\r\n"

_INTEGER: Final = re.compile(r"[+-]?[0-9]+\Z", re.ASCII)
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)\Z", re.ASCII)
_DECIMAL_MOST: Final = 79228162514264337593543950335
_SPECIAL: Final = {"nan": math.nan, "infinity": math.inf, "-infinity": -math.inf}
_VERSION: Final = re.compile(r"[0-9]+(?:\.[0-9]+){1,3}\Z", re.ASCII)
_GUID: Final = re.compile(
    r"(\{)?(\()?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?(1)\})(?(2)\))\Z|[0-9a-fA-F]{32}\Z",
    re.ASCII,
)
_INSTANT: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?)?)?"
    r"(?P<zone>Z|(?P<sign>[+-])(?P<zone_hours>[0-9]{2}):(?P<zone_minutes>[0-9]{2}))?\Z",
    re.ASCII,
)
_DURATION: Final = re.compile(
    r"(?P<sign>-)?P(?:(?P<years>[0-9]+)Y)?(?:(?P<months>[0-9]+)M)?(?:(?P<days>[0-9]+)D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?(?:(?P<seconds>[0-9]+)(?:\.(?P<fraction>[0-9]+))?S)?)?\Z",
    re.ASCII,
)
_TICKS_PER_SECOND: Final = 10**7
_TICKS_PER_DAY: Final = 86400 * _TICKS_PER_SECOND
_MINUTES_PER_DAY: Final = 24 * 60


def escape_text(text: str) -> str:
    """Escape a string for element text."""
    if _ESCAPED.search(text):
        text = _ESCAPED.sub(_escape_character, text)
    return _MARKUP_FOUND.sub(lambda found: _MARKUP[found[0]], text) if _MARKUP_FOUND.search(text) else text


def _escape_character(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"_x{units[at : at + 4]}_" for at in range(0, len(units), 4))


def unescape_text(text: str) -> str:
    """Undo ``_xHHHH_``; halves of a character that meet become one."""
    if "_" not in text or not _ESCAPE.search(text):
        return text
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


# -- writing -----------------------------------------------------------------------------------------------


def write_number(value: float) -> str:
    """Write a Double as .NET's XmlConvert does."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "INF" if value > 0 else "-INF"
    text = repr(value).upper().removesuffix(".0")
    if "E" not in text:
        return text
    mantissa, _, exponent = text.partition("E")
    return f"{mantissa.removesuffix('.0')}E{exponent}"


def write_instant(value: datetime) -> str:
    """Write a point in time; without a zone it is one of no known kind."""
    text = value.replace(tzinfo=None).isoformat(timespec="microseconds" if value.microsecond else "seconds")
    if value.microsecond:
        text = text.rstrip("0")
    offset = value.utcoffset()
    if offset is None:
        return text
    if value.tzinfo is UTC:
        return text + "Z"
    minutes = int(offset.total_seconds() // 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{text}{sign}{minutes // 60:02d}:{minutes % 60:02d}"


def write_duration(value: timedelta) -> str:
    """Write a span of time."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    parts = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction:
        parts += f"{seconds}{fraction}S"
    days = f"{value.days}D" if value.days else ""
    if not parts and not days:
        parts = "0S"
    return f"{sign}P{days}{'T' + parts if parts else ''}"


# -- reading -----------------------------------------------------------------------------------------------


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.match(text.strip(_BLANKS))
    if found is None:
        raise ValueError("not in the form of its type")
    return found


def _integer(text: str, least: int, most: int) -> int:
    # Longer numbers than any type has are refused before they are computed.
    digits = _matched(_INTEGER, text)[0]
    value = int(digits) if len(digits.lstrip("+-0")) <= len(str(most)) else most + 1
    if not least <= value <= most:
        raise ValueError("outside the range of its type")
    return value


def _whole(bits: int, *, is_signed: bool) -> Callable[[str], int]:
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
    return lambda text: _integer(text, least, most)


def _boolean(text: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[text.strip(_BLANKS)]


def _float(text: str) -> float:
    text = text.strip(_BLANKS)
    if text in {"INF", "-INF"}:
        return math.inf if text == "INF" else -math.inf
    special = _SPECIAL.get(text.lower())
    return float(_matched(_FLOAT, text)[0]) if special is None else special


def _decimal(text: str) -> Decimal:
    value = Decimal(_matched(_DECIMAL, text)[0])
    if not -_DECIMAL_MOST <= value <= _DECIMAL_MOST:
        raise ValueError("outside the range of its type")
    return value.copy_abs() if value.is_zero() else value


def _instant(text: str) -> datetime:
    found = _matched(_INSTANT, text)
    micros = int(((found["fraction"] or "") + "000000")[:6])
    value = datetime(  # noqa: DTZ001 - its zone follows
        int(found["year"]),
        int(found["month"] or 1),
        int(found["day"] or 1),
        int(found["hour"] or 0),
        int(found["minute"] or 0),
        int(found["second"] or 0),
        micros,
    )
    if found["zone"] is None:
        return value
    minutes = 0 if found["zone"] == "Z" else int(found["zone_hours"]) * 60 + int(found["zone_minutes"])
    if found["zone"] == "Z":
        return value.replace(tzinfo=UTC)
    offset = timedelta(minutes=-minutes if found["sign"] == "-" else minutes)
    if minutes < _MINUTES_PER_DAY:
        return value.replace(tzinfo=timezone(offset, "local"))  # +00:00 is a local time too
    return (value - offset).replace(tzinfo=UTC)


def _duration(text: str) -> timedelta:
    found = _matched(_DURATION, text)
    if not any(part.isdigit() for part in found[0]):
        raise ValueError("a duration of nothing")
    parts = {
        name: int(found[name] or 0) for name in ("years", "months", "days", "hours", "minutes", "seconds")
    }
    days = parts["years"] * 365 + parts["months"] * 30 + parts["days"]
    seconds = parts["hours"] * 3600 + parts["minutes"] * 60 + parts["seconds"]
    ticks = (
        days * _TICKS_PER_DAY + seconds * _TICKS_PER_SECOND + int(((found["fraction"] or "") + "0" * 7)[:7])
    )
    is_negative = found["sign"] is not None
    if ticks >= (1 << 63) + is_negative:
        raise ValueError("outside the range of its type")
    return timedelta(microseconds=-(ticks // 10) if is_negative else ticks // 10)


def _uuid(text: str) -> uuid.UUID:
    return uuid.UUID(_matched(_GUID, text)[0].strip("{}()"))


def _version(text: str) -> str:
    parts = _matched(_VERSION, text)[0].split(".")
    return ".".join(str(_integer(part, 0, (1 << 31) - 1)) for part in parts)


def _bytes(text: str) -> bytes:
    return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)


def _document(text: str) -> str:
    text = unescape_text(text)
    # A document with a type declaration is handed on unread: it may contain a bomb.
    if text and "<!DOCTYPE" not in text:
        try:
            ET.fromstring(text)  # noqa: S314 - no declaration, no entities
        except ET.ParseError as problem:
            raise ValueError("not well-formed") from problem
    return text


def _tagged(tag: str, convert: Callable[[str], Any]) -> Callable[[str], Primitive]:
    return lambda text: Primitive(tag, convert(text))


#: How to read the text of each element. Secure strings are not here: they need the pool's key.
READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "S": unescape_text,
    "B": _boolean,
    "I32": _whole(32, is_signed=True),
    "Db": _float,
    "BA": _bytes,
    "G": _uuid,
    "DT": _instant,
    "TS": _duration,
    "C": _tagged("C", _whole(16, is_signed=False)),
    "By": _tagged("By", _whole(8, is_signed=False)),
    "SB": _tagged("SB", _whole(8, is_signed=True)),
    "I16": _tagged("I16", _whole(16, is_signed=True)),
    "U16": _tagged("U16", _whole(16, is_signed=False)),
    "U32": _tagged("U32", _whole(32, is_signed=False)),
    "I64": _tagged("I64", _whole(64, is_signed=True)),
    "U64": _tagged("U64", _whole(64, is_signed=False)),
    "Sg": _tagged("Sg", _float),
    "D": _tagged("D", _decimal),
    "Version": _tagged("Version", _version),
    "URI": _tagged("URI", unescape_text),
    "SBK": _tagged("SBK", unescape_text),
    "XD": _tagged("XD", _document),
}
