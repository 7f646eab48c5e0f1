"""The filters and operators that could make much out of little, each bounded."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.filters import FILTERS
from jinja2.runtime import Context

from provisioner.expressions.bounds import (
    MAX_DEPTH,
    MAX_STEPS,
    ExpressionError,
    bound,
    check_plain,
    size_of,
    text_of,
)

_MAX_WIDTH: Final = 1000
_MAX_INDENT: Final = 8
_CONVERSION: Final = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(\*|\d+)?(?:\.(\*|\d+))?")
_NESTED_NAME: Final = re.compile(r"%\([^)]*\(")
STEPS: Final = "_steps_"


def joined(separator: str, parts: Iterable[Any]) -> str:
    """Join the texts of some values."""
    size = 0
    texts: list[str] = []
    for part in parts:
        text = text_of(part)
        size += len(text) + len(separator)
        bound(size)
        texts.append(text)
    return separator.join(texts)


def printf(template: str, arguments: Any) -> str:
    """Return ``template % arguments``."""
    if _NESTED_NAME.search(template):
        raise ExpressionError("A name in a format has no parentheses.")
    conversions = _CONVERSION.findall(template)
    for numbers in conversions:
        for number in numbers:
            if number == "*" or (number and (len(number) > 4 or int(number) > _MAX_WIDTH)):  # noqa: PLR2004
                raise ExpressionError(f"A width in a format is a number up to {_MAX_WIDTH}.")
    bound(len(template) + len(conversions) * (_MAX_WIDTH + size_of(arguments)) if conversions else 0)
    return str(template % arguments)


def bounded_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """Bound what a filter of Jinja2 reads and yields, and keep HTML's text type out."""

    @functools.wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *kwargs.values()):
            if not isinstance(arg, (jinja2.Environment, Context, nodes.EvalContext)):
                size_of(arg)
        result = function(*args, **kwargs)
        bound(size_of(result))
        return str(result) if isinstance(result, str) else result

    return bounded


def center(value: Any, width: int = 80) -> str:
    """The filter ``center``."""
    bound(width)
    return text_of(value).center(width)


def flatten(value: Iterable[Any]) -> list[Any]:
    """The filter ``flatten``: lists within a list become one list; what lies deeper stays."""
    found: list[Any] = []
    for part in value:
        found.extend(part if isinstance(part, list | tuple) else [part])
    return found


def zipped(value: Iterable[Any], other: Iterable[Any]) -> list[list[Any]]:
    """The filter ``zip``: pairs of what has the same place in two lists, which have the same length."""
    one, two = list(value), list(other)
    if len(one) != len(two):
        raise ExpressionError(f"Lists of {len(one)} and {len(two)} items have no pairs.")
    return [[first, second] for first, second in zip(one, two, strict=True)]


def format_text(value: Any, *args: Any, **kwargs: Any) -> str:
    """The filter ``format``."""
    if args and kwargs:
        raise ExpressionError("A format takes either named or unnamed values, not both.")
    return printf(text_of(value), kwargs or args)


def indent(value: Any, width: int | str = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002 - Jinja2's own signature
    """The filter ``indent``."""
    text = text_of(value)
    step = len(width) if isinstance(width, str) else width
    bound(len(text) + step * (text.count("\n") + 1))
    result: str = FILTERS["indent"](text, width, first, blank)
    return result


@jinja2.pass_context
def join_filter(context: Context, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    """The filter ``join``."""
    if attribute is not None:
        value = FILTERS["map"](context, value, attribute=attribute)
    return joined(text_of(d), value)


def replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    """The filter and method ``replace``."""
    text, old, new = text_of(value), text_of(old), text_of(new)
    times = len(text) + 1 if not old else text.count(old)
    if count is not None and count >= 0:
        times = min(times, count)
    bound(len(text) + times * max(0, len(new) - len(old)))
    return text.replace(old, new, -1 if count is None else count)


def round_number(value: float, precision: int = 0, method: str = "common") -> Any:
    """The filter ``round``."""
    if abs(precision) > MAX_DEPTH:
        raise ExpressionError(f"The precision is at most {MAX_DEPTH}.")
    return FILTERS["round"](value, precision, method)


def split(value: Any, separator: str, most: int = -1) -> list[str]:
    """The filter ``split``: the parts of a text between separators, of which at most ``most`` count."""
    return text_of(value).split(separator, most)


@jinja2.pass_environment
def sum_up(
    environment: jinja2.Environment, iterable: Iterable[Any], attribute: Any = None, start: float = 0
) -> Any:
    """The filter ``sum``."""
    if not isinstance(start, (int, float)):
        raise ExpressionError("Only numbers can be added up.")
    return FILTERS["sum"](environment, iterable, attribute, start)


def to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON as it is, without the HTML escapes of Jinja2's filter; keys keep their order."""
    check_plain(value)
    if indent is not None and not 0 <= indent <= _MAX_INDENT:
        raise ExpressionError(f"The indentation is a number from 0 to {_MAX_INDENT}.")
    return json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)


@jinja2.pass_context
def counted(context: Context, values: Iterable[Any]) -> Iterator[Any]:
    """Yield what a loop runs over and count its steps."""
    steps: Iterator[int] = context[STEPS]
    for value in values:
        if next(steps, None) is None:
            raise ExpressionError(f"The loops take more than {MAX_STEPS} steps.")
        yield value
