"""WQL as far as Get-CimInstance needs it: SELECT properties FROM class WHERE condition.

Strings compare without regard to case, as in WMI. Source: WQL reference (WHERE clause, LIKE operator).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Condition: TypeAlias = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
        |(?P<number>[+-]?[0-9]+(?:\.[0-9]+)?)
        |(?P<sign><>|!=|<=|>=|[=<>(),*])
        |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
    )""",
    re.VERBOSE,
)
_SELECT = re.compile(
    r"\s*select\s+(.+?)\s+from\s+([A-Za-z_]\w*)(?:\s+where\s+(.+?))?\s*\Z", re.IGNORECASE | re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_COMPARATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: bool(left == right),
    "<>": lambda left, right: bool(left != right),
    "!=": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    ">": lambda left, right: bool(left > right),
    "<=": lambda left, right: bool(left <= right),
    ">=": lambda left, right: bool(left >= right),
}
_MAX_DEPTH = 50


class WqlError(Exception):
    """The query is not WQL, or uses what is not simulated."""


@dataclass(frozen=True, slots=True)
class Query:
    """``properties`` is empty for ``*``."""

    class_name: str
    properties: tuple[str, ...]
    condition: Condition


def parse_query(text: str) -> Query:
    """Read a whole SELECT.

    Raises:
        WqlError: it is none.
    """
    found = _SELECT.match(text)
    if not found:
        raise WqlError(text)
    names = tuple(name.strip() for name in found[1].split(","))
    if not all(re.fullmatch(r"\*|[A-Za-z_]\w*", name) for name in names):
        raise WqlError(text)
    condition = parse_condition(found[3]) if found[3] else _always
    return Query(found[2], () if names == ("*",) else names, condition)


def parse_condition(text: str) -> Condition:
    """Read what stands after WHERE, as -Filter takes it.

    Raises:
        WqlError: it is no condition.
    """
    parser = _Parser(_tokens(text))
    condition = parser.any_of(0)
    if parser.peek():
        raise WqlError(text)
    return condition


def _always(_values: Mapping[str, Any]) -> bool:
    return True


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    offset = 0
    end = len(text.rstrip())
    while offset < end:
        found = _TOKEN.match(text, offset)
        if not found:
            raise WqlError(text)
        kind = found.lastgroup or ""
        tokens.append((kind, found[kind]))
        offset = found.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._index = 0

    def peek(self) -> str:
        """Give the next token, folded; empty at the end."""
        return self._tokens[self._index][1].casefold() if self._index < len(self._tokens) else ""

    def any_of(self, depth: int) -> Condition:
        """Read conditions joined by OR."""
        parts = [self._all_of(depth)]
        while self._takes("or"):
            parts.append(self._all_of(depth))
        return lambda values: any(part(values) for part in parts)

    def _all_of(self, depth: int) -> Condition:
        parts = [self._one(depth)]
        while self._takes("and"):
            parts.append(self._one(depth))
        return lambda values: all(part(values) for part in parts)

    def _one(self, depth: int) -> Condition:
        if depth > _MAX_DEPTH:
            raise WqlError("too deep")
        if self._takes("not"):
            negated = self._one(depth + 1)
            return lambda values: not negated(values)
        if self._takes("("):
            inner = self.any_of(depth + 1)
            self._demand(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self._next("word").casefold()
        if self._takes("is"):
            is_negated = self._takes("not")
            self._demand("null")
            return lambda values: (_value(values, name) is None) != is_negated
        if self._takes("like"):
            pattern = _like(_unquote(self._next("string")))
            return lambda values: bool(pattern.fullmatch(str(_value(values, name) or "")))
        compare = _COMPARATORS.get(self._next("sign"))
        if compare is None:
            raise WqlError(name)
        wanted = self._literal()

        def holds(values: Mapping[str, Any]) -> bool:
            left, right = _comparable(_value(values, name), wanted)
            try:
                return compare(left, right)
            except TypeError:
                return False

        return holds

    def _literal(self) -> Any:
        if self._index >= len(self._tokens):
            raise WqlError("end")
        kind, text = self._tokens[self._index]
        self._index += 1
        match kind:
            case "string":
                return _unquote(text)
            case "number":
                return float(text) if "." in text else int(text)
            case "word" if text.casefold() in {"true", "false", "null"}:
                return {"true": True, "false": False, "null": None}[text.casefold()]
        raise WqlError(text)

    def _takes(self, text: str) -> bool:
        if self.peek() != text:
            return False
        self._index += 1
        return True

    def _demand(self, text: str) -> None:
        if not self._takes(text):
            raise WqlError(self.peek())

    def _next(self, kind: str) -> str:
        if self._index >= len(self._tokens) or self._tokens[self._index][0] != kind:
            raise WqlError(self.peek())
        self._index += 1
        return self._tokens[self._index - 1][1]


def _value(values: Mapping[str, Any], folded: str) -> Any:
    for name, value in values.items():
        if name.casefold() == folded:
            return value
    raise WqlError(folded)  # WMI refuses a query that names an unknown property


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    """Bring both sides to one type: text without case, numbers and Booleans that are written as text."""
    if isinstance(left, bool) and isinstance(right, str):
        return left, {"true": True, "false": False}.get(right.casefold())
    if isinstance(left, int | float) and not isinstance(left, bool) and isinstance(right, str):
        try:
            return left, float(right)
        except ValueError:
            return left, None
    if isinstance(left, str) and right is not None and not isinstance(right, str):
        right = str(right)
    return (
        left.casefold() if isinstance(left, str) else left,
        right.casefold() if isinstance(right, str) else right,
    )


def _unquote(text: str) -> str:
    return _ESCAPE.sub(r"\1", text[1:-1])


def _like(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    offset = 0
    while offset < len(pattern):
        character = pattern[offset]
        end = pattern.find("]", offset + 1)
        if character == "[" and end > offset + 1:
            body = pattern[offset + 1 : end]
            negation = "^" if body.startswith("^") else ""
            safe = re.sub(r"([\\\[\]^])", r"\\\1", body[len(negation) :])
            parts.append(f"[{negation}{safe}]" if safe else re.escape(pattern[offset : end + 1]))
            offset = end + 1
            continue
        parts.append({"%": ".*", "_": "."}.get(character, re.escape(character)))
        offset += 1
    try:
        return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise WqlError(pattern) from error
