"""Walking over PowerShell tokens: skipping brackets, reading values that need no running."""

from __future__ import annotations

import re
from typing import TypeAlias

from provisioner.catalogue.importing.tokens import Script, ScriptProblem, Token, TokenKind

#: A value written out in a script: text, number, boolean, null, list or hashtable.
Static: TypeAlias = "str | int | float | bool | list[Static] | dict[str, Static] | None"

_CLOSING = {"{": "}", "@{": "}", "(": ")", "@(": ")", "$(": ")", "[": "]"}
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<hex>0x[0-9a-f]{1,16})|(?P<digits>(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:e[+-]?\d{1,3})?))"
    r"(?:u?[lsdny]|u)?(?P<unit>[kmgtp]b)?",
    re.IGNORECASE,
)
_UNITS = {"kb": 10, "mb": 20, "gb": 30, "tb": 40, "pb": 50}
_BOUND = re.compile(r"(?:system\.)?(?:(s?byte)|(u?)(?:int(16|32|64)?|short|long))", re.IGNORECASE)
#: Deepest nesting of literal values and brackets; manifests have four.
_DEEPEST = 40


class Cursor:
    """A place in a script's tokens. Past the last token stands None."""

    def __init__(self, script: Script, position: int = 0, end: int | None = None) -> None:
        self.script = script
        self.position = position
        self._tokens = script.tokens
        self._end = len(self._tokens) if end is None else end

    @property
    def token(self) -> Token | None:
        """The token here."""
        return self._tokens[self.position] if self.position < self._end else None

    def at_symbol(self, *symbols: str) -> bool:
        """Whether one of these symbols stands here."""
        token = self.token
        return token is not None and token.is_symbol(*symbols)

    def at_word(self, *words: str) -> bool:
        """Whether one of these words stands here."""
        token = self.token
        return token is not None and token.is_word(*words)

    def at_kind(self, kind: TokenKind) -> bool:
        """Whether a token of this kind stands here."""
        token = self.token
        return token is not None and token.kind is kind

    def take(self) -> Token:
        """Return the token here and step over it."""
        token = self.token
        if token is None:
            raise ScriptProblem("The script ends too early.", max(0, len(self.script.text) - 1))
        self.position += 1
        return token

    def expect(self, *symbols: str) -> Token:
        """Step over one of these symbols."""
        if not self.at_symbol(*symbols):
            raise self.problem(f"'{symbols[0]}' is expected here.")
        return self.take()

    def skip_breaks(self) -> None:
        """Step over line ends and semicolons."""
        while self.at_kind(TokenKind.NEW_LINE) or self.at_symbol(";"):
            self.position += 1

    def skip_group(self) -> tuple[int, int]:
        """Step over a bracket and all it holds; return the positions of the first and past the last inside."""
        opening = self.take()
        start = self.position
        closing = [_CLOSING[opening.text]]
        while closing:
            token = self.token
            if token is None:
                raise ScriptProblem(f"This '{opening.text}' is not closed.", opening.start, opening.end)
            if token.kind is TokenKind.SYMBOL and token.text in _CLOSING:
                closing.append(_CLOSING[token.text])
            elif token.is_symbol("}", ")", "]") and token.text != closing.pop():
                raise ScriptProblem(f"This '{token.text}' closes nothing.", token.start, token.end)
            self.position += 1
        return start, self.position - 1

    def skip_expression(self, *stops: str) -> None:
        """Step over an expression, up to one of the stops (a line feed for a line end) or the end of the group."""
        while (token := self.token) is not None:
            if token.is_symbol("}", ")", "]", *stops) or (token.kind is TokenKind.NEW_LINE and "\n" in stops):
                return
            if token.kind is TokenKind.SYMBOL and token.text in _CLOSING:
                self.skip_group()
            else:
                self.position += 1

    def inside(self, start: int, end: int) -> Cursor:
        """Return a cursor over a stretch of the tokens."""
        return Cursor(self.script, start, end)

    def problem(self, message: str) -> ScriptProblem:
        """Return a problem with the token here."""
        token = self.token or (self._tokens[self._end - 1] if self._end else None)
        return ScriptProblem(message, token.start, token.end) if token else ScriptProblem(message, 0)

    def value(self, depth: int = 0) -> Static:
        """Read a value that is written out, lists without brackets included.

        Raises:
            ScriptProblem: it is an expression that would have to be run.
        """
        first = self._item(depth)
        if not self.at_symbol(","):
            return first
        items = [first]
        while self.at_symbol(","):
            self.position += 1
            self._skip_lines()
            items.append(self._item(depth))
        return items

    def _item(self, depth: int) -> Static:
        if depth > _DEEPEST:
            raise self.problem("Values are nested too deeply here.")
        token = self.token
        if token is None:
            raise self.problem("A value is expected here.")
        if token.kind is TokenKind.STRING and token.value is not None:
            self.position += 1
            return token.value
        if token.kind is TokenKind.VARIABLE and token.text.casefold() in _CONSTANTS:
            self.position += 1
            return _CONSTANTS[token.text.casefold()]
        if token.kind is TokenKind.WORD and (number := _NUMBER.fullmatch(token.text)):
            self.position += 1
            return _number(number)
        if token.is_symbol("@{"):
            return self._hashtable(depth)
        if token.is_symbol("@("):
            return self._array(depth)
        if token.is_symbol("("):
            self.position += 1
            self._skip_lines()
            found = self.value(depth + 1)
            self._skip_lines()
            self.expect(")")
            return found
        if token.is_symbol("["):
            return self._typed(depth)
        raise ScriptProblem("This is not a value that is written out.", token.start, token.end)

    def _array(self, depth: int) -> list[Static]:
        self.position += 1
        items: list[Static] = []
        self.skip_breaks()
        while not self.at_symbol(")"):
            found = self.value(depth + 1)
            # Statements in @( ) add up to one list.
            items.extend(found if isinstance(found, list) else [found])
            self.skip_breaks()
        self.position += 1
        return items

    def _hashtable(self, depth: int) -> dict[str, Static]:
        self.position += 1
        found: dict[str, Static] = {}
        self.skip_breaks()
        while not self.at_symbol("}"):
            key = self.take()
            if key.kind is not TokenKind.WORD and key.value is None:
                raise ScriptProblem("The name of an entry is expected here.", key.start, key.end)
            self._skip_lines()
            self.expect("=")
            self._skip_lines()
            found[(key.value if key.value is not None else key.text).casefold()] = self.value(depth + 1)
            if not (self.at_symbol("}", ";") or self.at_kind(TokenKind.NEW_LINE)):
                raise self.problem("This is not a value that is written out.")
            self.skip_breaks()
        self.position += 1
        return found

    def _typed(self, depth: int) -> Static:
        """Read ``[type] value`` or a bound of an integer type, ``[uint32]::MaxValue``."""
        start = self.position
        first, last = self.skip_group()
        name = "".join(token.text for token in self._tokens[first:last])
        if self.at_symbol(":"):
            self.expect(":")
            self.expect(":")
            bound = _BOUND.fullmatch(name)
            word = self.take()
            if bound and word.is_word("maxvalue", "minvalue"):
                return _bound(bound, is_largest=word.is_word("maxvalue"))
            self.position = start
            raise self.problem("This is not a value that is written out.")
        return self._item(depth + 1)

    def _skip_lines(self) -> None:
        while self.at_kind(TokenKind.NEW_LINE):
            self.position += 1


def _number(found: re.Match[str]) -> int | float:
    if found["hex"]:
        number: int | float = int(found["hex"], 16)
    else:
        digits = found["digits"]
        number = float(digits) if set(digits.casefold()) & set(".e") else int(digits)
    if found["unit"]:
        number *= 1 << _UNITS[found["unit"].casefold()]
    return -number if found["sign"] == "-" else number


def _bound(found: re.Match[str], *, is_largest: bool) -> int:
    if found[1]:
        width, is_signed = 8, found[1].casefold() == "sbyte"
    else:
        word = found[0].casefold()
        width = 16 if word.endswith("short") else 64 if word.endswith("long") else int(found[3] or 32)
        is_signed = not found[2]
    if not is_largest:
        return -(1 << (width - 1)) if is_signed else 0
    return (1 << (width - is_signed)) - 1
