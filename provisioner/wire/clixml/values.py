"""Neutral values for which Python has no class of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

#: Deeper nesting than this is refused in both directions, as real PowerShell does.
MAX_DEPTH: Final = 48

_ENUM_TYPES: Final = ("System.Enum", "System.ValueType", "System.Object")


@dataclass(frozen=True, slots=True)
class Primitive:
    """A value whose element says more than its Python type: ``Primitive("U32", 5)``.

    Tags: C (number of the UTF-16 unit) I16 I64 By SB U16 U32 U64 Sg D (Decimal) Version URI SBK XD; SS, a secure
    string in plain text; PR, a progress record (activity, its number, operation, number of the parent, percent,
    type, seconds left, status).
    """

    tag: str
    value: Any

    def __repr__(self) -> str:
        shown = "'...'" if self.tag == "SS" else repr(self.value)
        return f"Primitive({self.tag!r}, {shown})"


@dataclass(slots=True)
class Structure:
    """An object: type names (most derived first), ToString text, adapted and note properties.

    ``value`` is what the object holds besides (a list, a dict, the number of an enumeration), or None. ``tag`` is
    the element of a list: LST, or IE, QUE, STK; MS is a set of members that is a member itself. One Structure met
    twice in a message is written once.
    """

    type_names: tuple[str, ...]
    properties: Mapping[str, Any] = field(default_factory=dict)
    extended: Mapping[str, Any] = field(default_factory=dict)
    text: str | None = None
    value: Any = None
    tag: str = "LST"


class Moment(datetime):
    """A point in time with the tenth of a microsecond that .NET has and Python has not; sums do not keep it."""

    tick: int = 0


class Span(timedelta):
    """A span of time with all its ticks, tenths of a microsecond; sums do not keep the last digit."""

    ticks: int = 0


def enum_structure(type_name: str, text: str, number: int) -> Structure:
    """Build an enumeration value that travels as Int32."""
    return Structure((type_name, *_ENUM_TYPES), text=text, value=number)
