"""What an expression may cost, and the one error it ends in. Sizes are counted before memory is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import GeneratorType
from typing import Any, Final

import jinja2

from provisioner.errors import ProvisionerError

#: Longest text an expression or template may yield or read, in characters; also most items of a value.
MAX_SIZE: Final = 1024 * 1024
#: Largest integer an operation may yield, in bits. Python refuses to print much larger ones.
MAX_INTEGER_BITS: Final = 4096
#: Most loop steps of one evaluation, all loops together.
MAX_STEPS: Final = 200_000
#: Deepest nesting of a value.
MAX_DEPTH: Final = 100
_MAX_MESSAGE: Final = 300


class ExpressionError(ProvisionerError):
    """An expression cannot be read or evaluated.

    Attributes:
        message: One sentence without position.
        offset_line: Line inside the text, from 1; None when it is not known.
        undefined_name: The variable or key that does not exist, when that is the reason.
        known: Names that would have been possible in its place, sorted.
    """

    def __init__(
        self,
        message: str,
        offset_line: int | None = None,
        undefined_name: str | None = None,
        known: tuple[str, ...] = (),
    ) -> None:
        self.message = message if len(message) <= _MAX_MESSAGE else message[:_MAX_MESSAGE] + "…"
        self.offset_line = offset_line
        self.undefined_name = undefined_name
        self.known = known
        super().__init__(self.message)


def bound(size: int) -> None:
    """Refuse what has more characters or items than allowed."""
    if size > MAX_SIZE:
        raise ExpressionError(f"The result has more than {MAX_SIZE} characters or items.")


def bound_integer(bits: int) -> None:
    """Refuse a number of more bits than allowed."""
    if bits > MAX_INTEGER_BITS:
        raise ExpressionError(f"The number has more than {MAX_INTEGER_BITS} bits.")


def kind_of(value: Any) -> str:
    """Name the kind of a value for a message."""
    match value:
        case bool():
            return "a boolean"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "this mapping"
        case None:
            return "null"
        case _:
            return f"a value of type {type(value).__name__}"


def size_of(value: Any, left: int = MAX_SIZE, depth: int = 0) -> int:
    """Return about how many characters a value has as text; stops early beyond the bound."""
    if depth > MAX_DEPTH:
        raise ExpressionError(f"The value is nested more than {MAX_DEPTH} levels deep.")
    match value:
        case str() | bytes():
            return len(value)
        case int() if not isinstance(value, bool):
            return value.bit_length() // 3 + 1
        case list() | tuple() | set() | frozenset():
            parts: Iterable[Any] = value
        case Mapping():
            parts = (part for pair in value.items() for part in pair)
        case _:
            return 1
    size = 1
    for part in parts:
        size += size_of(part, left - size, depth + 1)
        if size > left:
            bound(MAX_SIZE + 1)
    return size


def check_plain(value: Any) -> None:
    """Refuse a result that is not plain data, or too large."""
    if type(value) is str:  # most are, and every resource has several
        bound(len(value))
        return
    bound(size_of(value))
    pending = [value]
    while pending:
        part = pending.pop()
        match part:
            case None | bool() | int() | float() | str():
                pass
            case list() | tuple():
                pending.extend(part)
            case dict():
                pending.extend(part)
                pending.extend(part.values())
            case jinja2.Undefined():
                part()  # raises, with the name
            case GeneratorType():
                raise ExpressionError("The result is a stream of values. Write '| list' at its end.")
            case _ if callable(part):
                raise ExpressionError("The result is a function. Add the parentheses that call it.")
            case _:
                raise ExpressionError(f"The result is {kind_of(part)}, and only plain data can be used here.")


def text_of(value: Any) -> str:
    """Return a value as text, for mixed scalars and templates."""
    if isinstance(value, str):
        bound(len(value))
        return value
    if isinstance(value, jinja2.Undefined):
        return str(value)  # raises; only an inline "if" without "else" is an empty text
    check_plain(value)
    return str(value)
