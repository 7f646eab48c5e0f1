"""CLIXML: the values that PowerShell objects are on the wire.

Writing is done here, as the serializer of Windows PowerShell lays it out; reading turns what psrpcore
deserialised into the same neutral values. Neutral values are None, bool, str, int (Int32), float (Double),
bytes, datetime, timedelta, UUID, list (Object[]), dict (Hashtable), ``Primitive`` and ``Structure``.

Source: MS-PSRP 2.2.5; layout as in CLIXML of real PowerShell.
"""

from __future__ import annotations

import base64
import math
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psrpcore.types as ps

#: Deeper nesting than this is refused in both directions, as real PowerShell does.
MAX_DEPTH: Final = 48


class UnserializableError(Exception):
    """The value cannot be written as CLIXML."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A value whose element says more than its Python type: ``Primitive("U32", 5)``.

    Tags: C I16 I64 By SB U16 U32 U64 Sg D Version URI SBK XD SS.
    """

    tag: str
    value: Any


@dataclass(slots=True)
class Structure:
    """An object: type names (most derived first), ToString text, adapted and note properties.

    ``value`` is what the object holds besides (a list, a dict, the number of an enumeration), or None.
    """

    type_names: tuple[str, ...]
    properties: Mapping[str, Any] = field(default_factory=dict)
    extended: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    value: Any = None


_ARRAY_TYPES: Final = ("System.Object[]", "System.Array", "System.Object")
_HASHTABLE_TYPES: Final = ("System.Collections.Hashtable", "System.Object")
_ENUM_TYPES: Final = ("System.Enum", "System.ValueType", "System.Object")

# Characters the serializer writes as _xHHHH_: controls, surrogates, and an underscore that would start an escape.
_ESCAPED: Final = re.compile("_(?=[xX])|[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]")
# U+FFFE and U+FFFF are no XML characters at all; real PowerShell sends references that parsers refuse.
_MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\ufffe": "_xFFFE_", "\uffff": "_xFFFF_"}
_MARKUP_FOUND: Final = re.compile("[&<>\ufffe\uffff]")


def enum_structure(type_name: str, text: str, number: int) -> Structure:
    """Build an enumeration value that travels as Int32."""
    return Structure((type_name, *_ENUM_TYPES), text=text, value=number)


def escape_text(text: str) -> str:
    """Escape a string for element text."""
    if _ESCAPED.search(text):
        text = _ESCAPED.sub(_escape_character, text)
    return _MARKUP_FOUND.sub(lambda found: _MARKUP[found[0]], text) if _MARKUP_FOUND.search(text) else text


def _name_attribute(name: str) -> str:
    return f' N="{escape_text(name).replace(chr(34), "&quot;")}"'


def _escape_character(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex().upper()
    return "".join(f"_x{units[at : at + 4]}_" for at in range(0, len(units), 4))


def write(value: Any) -> bytes:
    """Serialise one neutral value as the payload of a PSRP message, without byte order mark.

    Raises:
        UnserializableError: Not a neutral value, or nested too deep.
    """
    parts: list[str] = []
    _Writer(parts).write(value, "", 0)
    return "".join(parts).encode("utf-8")


class _Writer:
    """One run over one message: numbers objects and type-name lists."""

    def __init__(self, parts: list[str]) -> None:
        self._out = parts.append
        self._objects = 0
        self._type_names: dict[tuple[str, ...], int] = {}

    def write(self, value: Any, name: str, depth: int) -> None:  # noqa: C901, PLR0912 - one case per kind
        """Write ``value``; ``name`` is the ready ``N`` attribute with a blank before it, or empty."""
        match value:
            case None:
                self._out(f"<Nil{name} />")
            case bool():
                self._out(f"<B{name}>{'true' if value else 'false'}</B>")
            case str():
                self._out(f"<S{name}>{escape_text(value)}</S>")
            case int():
                self._integer(value, name)
            case float():
                self._out(f"<Db{name}>{_number(value)}</Db>")
            case bytes():
                text = base64.b64encode(value).decode()
                self._out(f"<BA{name}>{text}</BA>" if text else f"<BA{name} />")
            case datetime():
                self._out(f"<DT{name}>{_instant(value)}</DT>")
            case timedelta():
                self._out(f"<TS{name}>{_duration(value)}</TS>")
            case uuid.UUID():
                self._out(f"<G{name}>{value}</G>")
            case Primitive(tag, inner):
                text = _number(inner) if isinstance(inner, float) else escape_text(str(inner))
                self._out(f"<{tag}{name}>{text}</{tag}>")
            case Structure():
                self._structure(value, name, depth)
            case list() | tuple():
                self._structure(Structure(_ARRAY_TYPES, value=value), name, depth)
            case dict():
                self._structure(Structure(_HASHTABLE_TYPES, value=value), name, depth)
            case _:
                raise UnserializableError(f"a value of type {type(value).__name__}")

    def _integer(self, value: int, name: str) -> None:
        if -(2**31) <= value < 2**31:
            self._out(f"<I32{name}>{int(value)}</I32>")
        elif -(2**63) <= value < 2**63:
            self._out(f"<I64{name}>{int(value)}</I64>")
        else:
            self._out(f"<D{name}>{int(value)}</D>")

    def _structure(self, value: Structure, name: str, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise UnserializableError(f"objects nested deeper than {MAX_DEPTH}")
        self._out(f'<Obj{name} RefId="{self._objects}">')
        self._objects += 1
        self._types(value.type_names)
        if value.text is not None:
            self._out(f"<ToString>{escape_text(value.text)}</ToString>" if value.text else "<ToString />")
        if isinstance(value.value, Mapping | list | tuple):
            self._container(value.value, depth)
            self._members(value, depth)
        else:
            if value.value is not None:
                self.write(value.value, "", depth + 1)
            self._members(value, depth)
        self._out("</Obj>")

    def _types(self, names: tuple[str, ...]) -> None:
        if not names:
            return
        known = self._type_names.get(names)
        if known is not None:
            self._out(f'<TNRef RefId="{known}" />')
            return
        number = self._type_names[names] = len(self._type_names)
        listed = "".join(f"<T>{escape_text(name)}</T>" for name in names)
        self._out(f'<TN RefId="{number}">{listed}</TN>')

    def _members(self, value: Structure, depth: int) -> None:
        for tag, members in (("Props", value.properties), ("MS", value.extended)):
            if members:
                self._out(f"<{tag}>")
                for key, member in members.items():
                    self.write(member, _name_attribute(key), depth + 1)
                self._out(f"</{tag}>")

    def _container(self, items: Mapping[Any, Any] | Iterable[Any], depth: int) -> None:
        tag = "DCT" if isinstance(items, Mapping) else "LST"
        if not items:
            self._out(f"<{tag} />")
            return
        self._out(f"<{tag}>")
        if isinstance(items, Mapping):
            for key, item in items.items():
                self._out("<En>")
                self.write(key, ' N="Key"', depth + 1)
                self.write(item, ' N="Value"', depth + 1)
                self._out("</En>")
        else:
            for item in items:
                self.write(item, "", depth + 1)
        self._out(f"</{tag}>")


def _number(value: float) -> str:
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


def _instant(value: datetime) -> str:
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


def _duration(value: timedelta) -> str:
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


_TAGS: Final[tuple[tuple[type, str], ...]] = (
    (ps.PSChar, "C"),
    (ps.PSInt16, "I16"),
    (ps.PSInt64, "I64"),
    (ps.PSByte, "By"),
    (ps.PSSByte, "SB"),
    (ps.PSUInt16, "U16"),
    (ps.PSUInt, "U32"),
    (ps.PSUInt64, "U64"),
    (ps.PSSingle, "Sg"),
    (ps.PSDecimal, "D"),
    (ps.PSVersion, "Version"),
    (ps.PSUri, "URI"),
    (ps.PSScriptBlock, "SBK"),
    (ps.PSXml, "XD"),
)
_TAG_OF: Final[dict[type, str]] = dict(_TAGS)


def read(value: Any, depth: int = 0) -> Any:  # noqa: C901, PLR0912 - one case per kind
    """Turn a value that psrpcore deserialised into a neutral one.

    A secure string becomes ``Primitive("SS", plain text)``; it has to have been decryptable.

    Raises:
        UnserializableError: Nested too deep.
    """
    if depth > MAX_DEPTH:
        raise UnserializableError(f"objects nested deeper than {MAX_DEPTH}")
    tag = _TAG_OF.get(type(value))
    if tag is not None:
        return Primitive(tag, _plain(value))
    match value:
        case None | bool():
            return value
        case ps.PSSecureString():
            return Primitive("SS", value.decrypt())
        case ps.PSEnumBase() | ps.PSFlagBase():
            return Structure(tuple(value.PSTypeNames), text=value.name or str(int(value)), value=int(value))
        case bytes():
            return bytes(value)
        case datetime():
            return datetime.combine(value.date(), value.timetz())
        case timedelta():
            return timedelta(value.days, value.seconds, value.microseconds)
        case uuid.UUID():
            return uuid.UUID(int=value.int)
        case str() | int() | float():
            return _plain(value)
        case dict():
            return {_key(read(key, depth + 1)): read(item, depth + 1) for key, item in value.items()}
        case list():
            return [read(item, depth + 1) for item in value]
        case _:
            return _read_object(value, depth)


def _plain(value: Any) -> Any:
    """Strip psrpcore's subclass from a primitive."""
    if isinstance(value, ps.PSChar):
        return int(value)
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)


def _key(value: Any) -> Any:
    """Make a key usable in a dict: objects and containers become their text."""
    return value if isinstance(value, str | int | float | uuid.UUID | Primitive) else str(value)


def _read_object(value: Any, depth: int) -> Structure:
    about = value.PSObject
    return Structure(
        tuple(about.type_names),
        properties={
            member.name: read(member.get_value(value), depth + 1) for member in about.adapted_properties
        },
        extended={
            member.name: read(member.get_value(value), depth + 1) for member in about.extended_properties
        },
        text=about.to_string,
    )
