"""The text of single values: what .NET's XmlConvert writes, and what it takes.

Reading is as strict and as lenient as XmlConvert: blanks around numbers are taken, digits of other scripts and
thousands separators are not. ``ValueError`` (or an ArithmeticError of a number that is too large) is a refusal.

Python counts microseconds where .NET counts a tenth of them: a time that needs the last digit is a ``Moment`` or a
``Span``. A time without a year is taken in 1904, the year in which .NET takes those that have a month and a day;
it takes the others in the present year, and there is no clock here.
"""

from __future__ import annotations

import base64
import math
import re
import struct
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Final
from xml.etree import ElementTree as ET

from provisioner.wire.clixml.values import Moment, Primitive, Span

# Characters the serializer writes as _xHHHH_: controls, surrogates, and an underscore that would start an escape.
_ESCAPED: Final = re.compile("_(?=[xX])|[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]")
# U+FFFE and U+FFFF are no XML characters at all; real PowerShell sends references that parsers refuse.
_MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\ufffe": "_xFFFE_", "\uffff": "_xFFFF_"}
_MARKUP_FOUND: Final = re.compile("[&<>\ufffe\uffff]")
_ESCAPE: Final = re.compile("_[xX]([0-9a-fA-F]{4})_")
_BLANKS: Final = " \t\r\n"
_NO_BLANKS: Final = str.maketrans("", "", _BLANKS)

_SIGNED: Final = re.compile(r"[+-]?[0-9]+\Z", re.ASCII)
_UNSIGNED: Final = re.compile(r"[0-9]+\Z", re.ASCII)
_FLOAT: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)\Z", re.ASCII)
_DECIMAL_MOST: Final = 79228162514264337593543950335
_DECIMAL_SCALE: Final = 28
_DECIMAL_CONTEXT: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)
_SPECIAL: Final = {
    **dict.fromkeys(("nan", "+nan", "-nan"), math.nan),
    **dict.fromkeys(("infinity", "+infinity"), math.inf),
    "-infinity": -math.inf,
}
_VERSION_PARTS: Final = range(2, 5)
_VERSION_PART: Final = re.compile(r"[\t-\r ]*(?:\+?([0-9]+)|-(0+))[\t-\r ]*\Z", re.ASCII)
_GUID: Final = re.compile(
    r"(\{)?(\()?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?(1)\})(?(2)\))\Z|[0-9a-fA-F]{32}\Z",
    re.ASCII,
)
#: What .NET takes besides: signs and marks of hexadecimal within the width of a part, and a structure of numbers.
_GUID_PART: Final = re.compile(r"\+?(?:0[xX])?([0-9a-fA-F]*)\Z", re.ASCII)
_GUID_SLICES: Final = ((0, 8), (9, 13), (14, 18), (19, 23), (24, 28), (28, 36))
_GUID_NUMBERS: Final = re.compile(
    r"\{0x([0-9a-f]{1,8}),0x([0-9a-f]{1,4}),0x([0-9a-f]{1,4}),\{"
    + ",".join(["0x([0-9a-f]{1,2})"] * 8)
    + r"\}\}\Z",
    re.ASCII | re.IGNORECASE,
)
_GUID_DIGITS: Final = (8, 4, 4, *[2] * 8)
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z", re.ASCII)
_TIME: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?"
_ZONE: Final = r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<zone_hours>[0-9]{2}):(?P<zone_minutes>[0-9]{2}))?\Z"
_INSTANT: Final = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})(?:T" + _TIME + r")?)?)?" + _ZONE,
    re.ASCII,
)
_WITHOUT_YEAR: Final = (
    re.compile(_TIME + _ZONE, re.ASCII),
    re.compile(r"--(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})|--)?" + _ZONE, re.ASCII),
    re.compile(r"---(?P<day>[0-9]{2})" + _ZONE, re.ASCII),
)
_YEAR_OF_NONE: Final = 1904
_DURATION: Final = re.compile(
    r"(?P<sign>-)?P(?:(?P<years>[0-9]+)Y)?(?:(?P<months>[0-9]+)M)?(?:(?P<days>[0-9]+)D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?(?:(?P<seconds>[0-9]+)(?:\.(?P<fraction>[0-9]+))?S)?)?\Z",
    re.ASCII,
)
_TICKS_PER_SECOND: Final = 10**7
_TICKS_PER_DAY: Final = 86400 * _TICKS_PER_SECOND
_MINUTES_PER_DAY: Final = 24 * 60
#: Exponents of ten for which numbers are written without one; Python has one for this Double already.
_PLAIN_SINGLES: Final = range(-4, 9)
_LAST_PLAIN_EXPONENT: Final = "+16"


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
    if exponent == _LAST_PLAIN_EXPONENT:
        return format(Decimal(text), "f")
    return f"{mantissa.removesuffix('.0')}E{exponent}"


def to_single(value: float) -> float:
    """Round a number to the nearest Single."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])
    except OverflowError:
        return math.copysign(math.inf, value)


def write_single(value: float) -> str:
    """Write a Single: the fewest digits that read back as the same; large and small ones with an exponent."""
    value = to_single(value)
    if not math.isfinite(value) or value == 0:
        return write_number(value)
    digits = next(text for size in range(9) if to_single(float(text := f"{value:.{size}e}")) == value)
    mantissa, _, exponent = digits.partition("e")
    if int(exponent) in _PLAIN_SINGLES:
        return format(Decimal(digits), "f")
    plain = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{plain}E{exponent[0]}{int(exponent[1:]):02d}"


def write_instant(value: datetime) -> str:
    """Write a point in time; without a zone it is one of no known kind."""
    tick = value.tick if isinstance(value, Moment) else 0
    text = datetime.isoformat(value.replace(tzinfo=None), timespec="seconds")
    if value.microsecond or tick:
        text += f".{value.microsecond:06d}{tick}".rstrip("0")
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
    ticks = value.ticks if isinstance(value, Span) else value // timedelta(microseconds=1) * 10
    sign, ticks = ("-", -ticks) if ticks < 0 else ("", ticks)
    whole, rest = divmod(ticks, _TICKS_PER_SECOND)
    whole_minutes, seconds = divmod(whole, 60)
    whole_hours, minutes = divmod(whole_minutes, 60)
    whole_days, hours = divmod(whole_hours, 24)
    fraction = f".{rest:07d}".rstrip("0") if rest else ""
    parts = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction:
        parts += f"{seconds}{fraction}S"
    days = f"{whole_days}D" if whole_days else ""
    if not parts and not days:
        parts = "0S"
    return f"{sign}P{days}{'T' + parts if parts else ''}"


# -- reading -----------------------------------------------------------------------------------------------


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.match(text.strip(_BLANKS))
    if found is None:
        raise ValueError("not in the form of its type")
    return found


def _number_text(text: str) -> str:
    """Strip what may stand around a number; it may end as strings of C do."""
    return text.strip(_BLANKS).rstrip("\0").strip(_BLANKS)


def _integer(text: str, least: int, most: int) -> int:
    # Longer numbers than any type has are refused before they are computed.
    digits = _matched(_SIGNED if least < 0 else _UNSIGNED, _number_text(text))[0]
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
    text = _number_text(text)
    if text in {"INF", "-INF"}:
        return math.inf if text == "INF" else -math.inf
    special = _SPECIAL.get(text.lower())
    return float(_matched(_FLOAT, text)[0]) if special is None else special


def _decimal(text: str) -> Decimal:
    """Read at most 28 digits behind the point, and no more than 96 bits hold: the others are rounded away."""
    value = Decimal(_matched(_DECIMAL, _number_text(text))[0])
    if value.copy_abs() > _DECIMAL_MOST:
        raise ValueError("outside the range of its type")
    scale = min(_DECIMAL_SCALE, -_exponent(value))
    while scale >= 0:
        rounded = value.quantize(Decimal(1).scaleb(-scale), context=_DECIMAL_CONTEXT)
        if rounded.scaleb(scale, context=_DECIMAL_CONTEXT).copy_abs() <= _DECIMAL_MOST:
            break
        scale -= 1
    return rounded.copy_abs() if rounded.is_zero() else rounded


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)


def _instant(text: str) -> datetime:
    text = text.strip()
    candidates = (pattern.match(text) for pattern in (_INSTANT, *_WITHOUT_YEAR))
    match = next((found for found in candidates if found is not None), None)
    if match is None:
        raise ValueError("no point in time")
    found = match.groupdict()
    micros, tick = divmod(_ticks(found.get("fraction")), 10)
    value: datetime = Moment(
        int(found.get("year") or _YEAR_OF_NONE),
        int(found.get("month") or 1),
        int(found.get("day") or 1),
        int(found.get("hour") or 0),
        int(found.get("minute") or 0),
        int(found.get("second") or 0),
    )
    # A fraction may be rounded up to a whole second.
    value = _ticked(value + timedelta(microseconds=micros), tick)
    if found["zone"] is None:
        return value
    if found["zone"] in {"Z", "z"}:
        return _ticked(value.replace(tzinfo=UTC), tick)
    minutes = int(found["zone_hours"]) * 60 + int(found["zone_minutes"])
    offset = timedelta(minutes=-minutes if found["sign"] == "-" else minutes)
    if minutes < _MINUTES_PER_DAY:
        return _ticked(value.replace(tzinfo=timezone(offset, "local")), tick)  # +00:00 is a local time too
    return _ticked((value - offset).replace(tzinfo=UTC), tick)


def _ticked(value: datetime, tick: int) -> datetime:
    """Return a time as one of Python's own where that says it all."""
    parts = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
    if not tick:
        return datetime(*parts, tzinfo=value.tzinfo)
    moment = Moment(*parts, tzinfo=value.tzinfo)
    moment.tick = tick
    return moment


def _ticks(fraction: str | None) -> int:
    """Return the ticks of a fraction of a second, rounded to the even neighbour."""
    return round(Decimal(f"0.{fraction or 0}").scaleb(7, context=Context(prec=len(fraction or "") + 9)))


def _duration(text: str) -> timedelta:
    found = _matched(_DURATION, text)
    if not any(part.isdigit() for part in found[0]):
        raise ValueError("a duration of nothing")
    parts = {
        name: _integer(found[name] or "0", 0, (1 << 31) - 1)
        for name in ("years", "months", "days", "hours", "minutes", "seconds")
    }
    days = parts["years"] * 365 + parts["months"] * 30 + parts["days"]
    seconds = parts["hours"] * 3600 + parts["minutes"] * 60 + parts["seconds"]
    ticks = (
        days * _TICKS_PER_DAY + seconds * _TICKS_PER_SECOND + int(((found["fraction"] or "") + "0" * 7)[:7])
    )
    is_negative = found["sign"] is not None
    if ticks >= (1 << 63) + is_negative:
        raise ValueError("outside the range of its type")
    micros = -(ticks // 10) if is_negative else ticks // 10
    if ticks % 10 == 0:
        return timedelta(microseconds=micros)
    span = Span(microseconds=micros)
    span.ticks = -ticks if is_negative else ticks
    return span


def _uuid(text: str) -> uuid.UUID:
    text = text.strip()
    if _GUID.match(text):
        return uuid.UUID(text.strip("{}()"))
    numbers = _GUID_NUMBERS.match("".join(text.split()))
    if numbers is not None:
        parts = zip(numbers.groups(), _GUID_DIGITS, strict=True)
        return uuid.UUID("".join(part.zfill(digits) for part, digits in parts))
    if (text[:1], text[-1:]) in {("{", "}"), ("(", ")")}:
        text = text[1:-1]
    if len(text) != _GUID_SLICES[-1][1] or any(text[at] != "-" for at in (8, 13, 18, 23)):
        raise ValueError("no guid")
    found = [(_GUID_PART.match(text[begin:end]), end - begin) for begin, end in _GUID_SLICES]
    digits = [part[1].zfill(width) if part is not None else "" for part, width in found]
    return uuid.UUID("".join(digits))


def _version(text: str) -> str:
    """Read two to four numbers, each with blanks and a sign if it likes: they are parsed one by one."""
    parts = text.split(".")
    found = [_VERSION_PART.match(part) for part in parts]
    if len(parts) not in _VERSION_PARTS or None in found:
        raise ValueError("no version")
    numbers = (part[1] or "0" for part in found if part is not None)
    return ".".join(str(_integer(number, 0, (1 << 31) - 1)) for number in numbers)


def _bytes(text: str) -> bytes:
    text = text.translate(_NO_BLANKS)
    if not _BASE64.match(text):
        raise ValueError("no base64")
    return base64.b64decode(text)


def _document(text: str) -> str:
    text = unescape_text(text)
    # A document with a type declaration is handed on unread: it may contain a bomb.
    if text and "<!DOCTYPE" not in text:
        try:
            ET.fromstring(text)  # noqa: S314 - no declaration, no entities
        except ET.ParseError as problem:
            raise ValueError("not well-formed") from problem
    return text


#: Parts of a progress record in their order; the one without a name is a value.
PROGRESS_PARTS: Final = ("AV", "AI", "", "PI", "PC", "T", "SR", "SD")
PROGRESS_NUMBERS: Final = frozenset({"AI", "PI", "PC", "SR"})
_PROGRESS_TYPES: Final = frozenset({"processing", "completed", "0", "1"})
_PERCENT_MOST: Final = 100


def check_progress(parts: list[Any]) -> None:
    """Refuse, by ValueError, what ProgressRecord refuses to be made of."""
    activity, number, _, parent, percent, kind, _, status = parts
    if not activity or not status or number < 0 or parent == number or percent > _PERCENT_MOST:
        raise ValueError("a progress record of nothing")
    if kind.strip().casefold() not in _PROGRESS_TYPES:
        raise ValueError("a progress record of another type")


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
    "Sg": _tagged("Sg", lambda text: to_single(_float(text))),
    "D": _tagged("D", _decimal),
    "Version": _tagged("Version", _version),
    "URI": _tagged("URI", unescape_text),
    "SBK": _tagged("SBK", unescape_text),
    "XD": _tagged("XD", _document),
}
