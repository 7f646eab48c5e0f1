"""Names of another tool's hosts and groups, made into names our inventory takes: each unique, none lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from provisioner.inventory.foreign.model import Sealed
from provisioner.inventory.model import RESERVED_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST: Final = 63
_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: Deepest nesting and longest whole number a file of ours may hold.
_DEEPEST: Final = 32
_MOST_BITS: Final = 1024
_SECRET: Final = re.compile(r"pas{1,2}(?:w|p|$|_)|pwd|secret|token|credential|private_?key", re.IGNORECASE)
_NO_SECRET: Final = re.compile(
    r"_(?:file|path|dir|folder|name|id|url|user|length|policy|age)$", re.IGNORECASE
)
_EXPRESSION: Final = re.compile(r"\{\{|\{%")


class Names:
    """Gives out names; compared without regard to case, since Windows does not tell them apart."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {name.casefold() for name in taken}

    def node(self, written: str) -> str:
        """Return a name for a host: letters, digits, '-' and '.'."""
        fitting = re.sub(r"[^A-Za-z0-9.-]+", "-", written)[:_LONGEST].strip(".-") or "node"
        return self._unique(fitting)

    def group(self, written: str) -> str:
        """Return a name for a group: a letter, then letters, digits, '_' and '-'."""
        fitting = re.sub(r"[^A-Za-z0-9_-]+", "_", written)[:_LONGEST]
        return self._unique(fitting if fitting[:1].isalpha() else f"group_{fitting}"[:_LONGEST])

    def _unique(self, fitting: str) -> str:
        name, number = fitting, 1
        while name.casefold() in self._taken:
            number += 1
            end = f"-{number}"
            name = fitting[: _LONGEST - len(end)] + end
        self._taken.add(name.casefold())
        return name


def site_name(written: str) -> str:
    """Return a name for a site, from that of a file."""
    return Names().group(written.rpartition(".")[0] or written or "imported")


def sounds_secret(name: str) -> bool:
    """Whether the name of a variable says that its value is a secret."""
    return _SECRET.search(name) is not None and _NO_SECRET.search(name) is None


def why_refused(name: str, value: Any) -> str:
    """Say why a variable cannot be carried over; empty when it can."""
    if not _VARIABLE.fullmatch(name):
        return "has a name that no variable can have here: a letter, then letters, digits and '_'"
    if name.casefold() in RESERVED_VARIABLES:
        return "has a name with a meaning of its own inside expressions"
    return _why_not(value, 0)


def _why_not(value: Any, depth: int) -> str:
    if depth > _DEEPEST:
        return "is nested too deep"
    match value:
        case Sealed():
            return f"is {value.value}"
        case bool() | None:
            return ""
        case int() if value.bit_length() > _MOST_BITS:
            return "is too large a number"
        case float() if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - NaN
            return "is no finite number"
        case str() if _EXPRESSION.search(value):
            return "is an expression, which only Ansible can evaluate; variables are plain data here"
        case str() if re.search("[\ud800-\udfff\ue000\x00]", value):
            return "has characters that no file can hold"
        case list():
            return next(filter(None, (_why_not(item, depth + 1) for item in value)), "")
        case dict():
            parts = (why for pair in value.items() for why in (_why_not(part, depth + 1) for part in pair))
            return next(filter(None, parts), "")
        case _:
            return ""
