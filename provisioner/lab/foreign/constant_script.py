"""Reads PowerShell text that is nothing but commands with constant arguments.

``Get-Service -Name WinRM | Select-Object Name,Status`` can be carried out without a language: it is a list of
commands and of values. That is all this reader takes: literals, arrays, tables of literals, switches, ``$true``,
``$false``, ``$null``, and ``exit`` with a number at the end. Anything else is refused with the name of what was
met, also where PowerShell itself would understand: a wrong guess is worse than a refusal.

Quoting and tokens follow PowerShell's own rules. Where Windows PowerShell 5.1 and 7 read a text differently (some
escapes, some suffixes of numbers) it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from provisioner.lab.values import Int64

_SINGLE: Final = "'\u2018\u2019\u201a\u201b"
_DOUBLE: Final = '"\u201c\u201d\u201e'
_DASHES: Final = "-\u2013\u2014\u2015"
_BLANK: Final = " \t\v\f\u00a0\u0085"
_NEWLINE: Final = "\r\n"
_TOKEN_ENDS: Final = frozenset(_BLANK + _NEWLINE + ";|,)}&({")
_ESCAPES: Final = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CONSTANTS: Final = {"$true": True, "$false": False, "$null": None}
_NUMBER: Final = re.compile(r"(0x[0-9a-f]{1,15}|\d+|\d*\.\d+|\d+\.)(l?)(kb|mb|gb|tb|pb)?", re.IGNORECASE)
_FACTORS: Final = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
_NAME: Final = re.compile(r"[A-Za-z_][\w.\\:/~-]*", re.ASCII)
_INT32: Final = range(-(2**31), 2**31)
_INT64: Final = range(-(2**63), 2**63)
#: Words that are no commands at the start of one (about_Language_Keywords).
_KEYWORDS: Final = re.compile(
    "begin|break|catch|class|configuration|continue|data|define|do|dynamicparam|else|elseif|end|enum|exit|filter|"
    "finally|for|foreach|from|function|hidden|if|in|inlinescript|parallel|param|process|return|sequence|static|"
    "switch|throw|trap|try|until|using|var|while|workflow",
    re.IGNORECASE,
)
_MOST_DEPTH: Final = 16


class NotConstantError(Exception):
    """The text holds more than commands with constant arguments; ``met`` says what, in a few words."""

    def __init__(self, met: str) -> None:
        self.met = met
        super().__init__(met)


@dataclass(frozen=True, slots=True)
class Flag:
    """A parameter's name. ``has_value`` only when the value was joined to it by a colon."""

    name: str
    value: Any = None
    has_value: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One command of a pipeline, or with an empty name the values an expression gives.

    ``elements`` in order, a Flag or a plain value: which values belong to a flag only the command knows.
    """

    name: str
    elements: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class ConstantScript:
    """Statements, each a pipeline of stages; ``exit_code`` is None when the script does not end by ``exit``."""

    statements: tuple[tuple[Stage, ...], ...]
    exit_code: int | None = None


def read(text: str) -> ConstantScript:
    """Read a script.

    Raises:
        NotConstantError: It holds anything else, or is no PowerShell.
    """
    return _Reader(text).script()


class _Reader:
    """A cursor over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    # -- statements ------------------------------------------------------------------------------------------

    def script(self) -> ConstantScript:
        statements: list[tuple[Stage, ...]] = []
        while True:
            self._skip(lines=True)
            if self._at >= len(self._text):
                return ConstantScript(tuple(statements))
            if self._peek() == ";":
                self._at += 1
                continue
            code = self._exit()
            if code is not None:
                return ConstantScript(tuple(statements), code)
            statements.append(self._pipeline())
            self._skip()
            if self._peek() not in ("", ";", "\r", "\n"):
                raise self._unexpected()

    def _exit(self) -> int | None:
        found = re.compile(r"exit(?:[ \t]+(\d{1,9}))?[;\s]*\Z", re.IGNORECASE | re.ASCII).match(
            self._text, self._at
        )
        if found is None:
            return None
        self._at = len(self._text)
        return int(found.group(1) or 0)

    def _pipeline(self) -> tuple[Stage, ...]:
        stages = [self._stage(is_first=True)]
        while True:
            self._skip()
            if self._peek() != "|":
                return tuple(stages)
            self._at += 1
            if self._peek() == "|":
                raise NotConstantError("the operator ||")
            self._skip(lines=True)
            stages.append(self._stage(is_first=False))

    def _stage(self, *, is_first: bool) -> Stage:
        start = self._peek()
        if start == "&":
            return self._call()
        if start and (start in _SINGLE or start in _DOUBLE or start in "$@" or start.isdigit()):
            if not is_first:
                raise NotConstantError("an expression inside a pipeline")
            return Stage("", (self._values(0, self._constant),))
        found = _NAME.match(self._text, self._at)
        if found is None:
            raise self._unexpected()
        if _KEYWORDS.fullmatch(found.group()):
            raise NotConstantError(f"the keyword {found.group().lower()}")
        self._at = found.end()
        self._demand_token_end("(&{,")
        return Stage(found.group(), self._elements())

    def _call(self) -> Stage:
        self._at += 1
        self._skip()
        start = self._peek()
        if start and (start in _SINGLE or start in _DOUBLE):
            name = self._quoted()
        else:
            found = _NAME.match(self._text, self._at)
            if found is None:
                raise self._unexpected()
            name, self._at = found.group(), found.end()
        self._demand_token_end("(&{,")
        if not name:
            raise NotConstantError("a command without a name")
        return Stage(name, self._elements())

    def _elements(self) -> tuple[Any, ...]:
        elements: list[Any] = []
        has_flags = True
        while True:
            self._skip()
            start = self._peek()
            if start == "" or start in _NEWLINE or start in ";|":
                return tuple(elements)
            if self._text.startswith("--", self._at) and (
                self._peek(2) in _TOKEN_ENDS or self._peek(2) == ""
            ):
                self._at += 2
                has_flags = False
                continue
            if has_flags and start in _DASHES and (self._peek(1).isalpha() or self._peek(1) in {"_", "?"}):
                elements.append(self._flag())
            else:
                elements.append(self._values(0, self._argument))

    def _flag(self) -> Flag:
        start = self._at + 1
        self._at = start
        while self._peek() and self._peek() not in _TOKEN_ENDS and self._peek() != ":":
            if not (self._peek().isalnum() or self._peek() in "_-?"):
                raise self._unexpected()
            self._at += 1
        name = self._text[start : self._at]
        if self._peek() != ":":
            self._demand_token_end("(&{,")
            return Flag(name)
        self._at += 1
        self._skip()
        return Flag(name, self._values(0, self._argument), has_value=True)

    # -- values ----------------------------------------------------------------------------------------------

    def _values(self, depth: int, one: Callable[[int], Any]) -> Any:
        """Read a value, or several with commas between them as an array."""
        values = [one(depth)]
        while True:
            back = self._at
            self._skip()
            if self._peek() != ",":
                self._at = back
                return values[0] if len(values) == 1 else values
            self._at += 1
            self._skip(lines=True)
            values.append(one(depth))

    def _argument(self, depth: int) -> Any:
        start = self._peek()
        if start and start not in _SINGLE and start not in _DOUBLE and start not in "$@":
            return self._bareword()
        return self._constant(depth)

    def _constant(self, depth: int) -> Any:
        """Read a literal where PowerShell expects an expression."""
        start = self._peek()
        if depth > _MOST_DEPTH:
            raise NotConstantError("values nested too deeply")
        value: Any
        if start and (start in _SINGLE or start in _DOUBLE):
            value = self._quoted()
        elif start == "$":
            value = self._variable()
        elif self._text.startswith("@(", self._at):
            value = self._array(depth)
        elif self._text.startswith("@{", self._at):
            value = self._table(depth)
        elif start.isdigit():
            found = re.compile(r"[0-9A-Za-z.]+", re.ASCII).match(self._text, self._at)
            value = _number(found.group()) if found else None
            if found is None or value is None:
                raise self._unexpected()
            self._at = found.end()
        else:
            raise self._unexpected()
        self._demand_token_end("(&{")
        return value

    def _variable(self) -> Any:
        found = re.compile(r"\$\w*", re.ASCII).match(self._text, self._at)
        name = found.group() if found else "$"
        if name.casefold() not in _CONSTANTS:
            raise NotConstantError(
                f"the variable {name}" if len(name) > 1 else "a variable or a subexpression"
            )
        self._at += len(name)
        return _CONSTANTS[name.casefold()]

    def _array(self, depth: int) -> list[Any]:
        self._at += 2
        values: list[Any] = []
        while True:
            self._skip(lines=True)
            if self._peek() == ")":
                self._at += 1
                return values
            if values:
                raise self._unexpected()
            found = self._values(depth + 1, self._constant)
            values = found if isinstance(found, list) else [found]

    def _table(self, depth: int) -> dict[str, Any]:
        self._at += 2
        table: dict[str, Any] = {}
        while True:
            self._skip(lines=True)
            if self._peek() == "}":
                self._at += 1
                return table
            key = self._key()
            if key.casefold() in {other.casefold() for other in table}:
                raise NotConstantError(f"the key {key} twice in a table")
            self._skip()
            if self._peek() != "=":
                raise self._unexpected()
            self._at += 1
            self._skip(lines=True)
            table[key] = self._values(depth + 1, self._constant)
            self._skip()
            if self._peek() == ";":
                self._at += 1
            elif self._peek() not in ("}", "\r", "\n"):
                raise self._unexpected()

    def _key(self) -> str:
        start = self._peek()
        if start and (start in _SINGLE or start in _DOUBLE):
            return self._quoted()
        found = re.compile(r"[A-Za-z_]\w*", re.ASCII).match(self._text, self._at)
        if found is None:
            raise self._unexpected()
        self._at = found.end()
        return found.group()

    def _bareword(self) -> Any:
        """Read a word of argument mode; quotes inside it belong to it."""
        start, parts = self._at, ""
        is_plain = True
        while self._peek() and self._peek() not in _TOKEN_ENDS:
            character = self._peek()
            if character in _SINGLE or character in _DOUBLE:
                if self._at == start:
                    raise self._unexpected()
                is_plain = False
                parts += self._quoted()
            elif character == "`":
                is_plain = False
                parts += self._escape()
            elif character in "<>$" or not character.isprintable():
                raise self._unexpected()
            else:
                parts += character
                self._at += 1
        if not parts:
            raise self._unexpected()
        if parts == "--%":
            raise NotConstantError("the stop-parsing token --%")
        number = _number(parts) if is_plain else None
        return parts if number is None else number

    def _quoted(self) -> str:
        """Read a string in quotes, without expansion; a doubled quote is one."""
        kind = _SINGLE if self._peek() in _SINGLE else _DOUBLE
        self._at += 1
        text = ""
        while True:
            character = self._peek()
            if character == "":
                raise NotConstantError("a string without an end")
            if character in kind:
                if self._peek(1) == "" or self._peek(1) not in kind:
                    self._at += 1
                    return text
                text += self._peek(1)
                self._at += 2
            elif kind is _DOUBLE and character == "`":
                text += self._escape()
            elif kind is _DOUBLE and character == "$" and _expands(self._peek(1)):
                raise NotConstantError("a variable inside a string")
            else:
                text += character
                self._at += 1

    def _escape(self) -> str:
        following = self._peek(1)
        if following in {"", "\r", "e"} or self._text.startswith("u{", self._at + 1):
            raise self._unexpected()
        self._at += 2
        return _ESCAPES.get(following, following)

    # -- the cursor ------------------------------------------------------------------------------------------

    def _peek(self, ahead: int = 0) -> str:
        return self._text[self._at + ahead : self._at + ahead + 1]

    def _skip(self, *, lines: bool = False) -> None:
        """Skip blanks, continued lines and comments, and with ``lines`` also line ends."""
        while True:
            character = self._peek()
            if character and (character in _BLANK or (lines and character in _NEWLINE)):
                self._at += 1
            elif character == "`" and self._peek(1) in {"\r", "\n"}:
                self._at += 3 if self._text.startswith("\r\n", self._at + 1) else 2
            elif character == "#":
                end = re.compile(r"[\r\n]|\Z").search(self._text, self._at)
                assert end is not None
                if self._text[self._at : self._at + 9].casefold() == "#requires":
                    raise NotConstantError("a #requires line")
                self._at = end.start()
            elif self._text.startswith("<#", self._at):
                stop = self._text.find("#>", self._at)
                if stop < 0:
                    raise NotConstantError("a comment without an end")
                self._at = stop + 2
            else:
                return

    def _demand_token_end(self, but_not: str) -> None:
        following = self._peek()
        if following and (following not in _TOKEN_ENDS or following in but_not):
            raise self._unexpected()

    def _unexpected(self) -> NotConstantError:
        rest = self._text[self._at : self._at + 20].split("\n")[0].strip()
        return NotConstantError(f"'{rest}'" if rest else "the end of the line")


def _expands(following: str) -> bool:
    return following.isalnum() or (following != "" and following in "_{($?^:")


def _number(text: str) -> int | float | None:
    """Read a number as PowerShell does; None when the text is none, or one of the kinds the lab has not."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    digits, is_long, unit = found.groups()
    factor = _FACTORS[unit.casefold()] if unit else 1
    if digits.casefold().startswith("0x"):
        value: int | float = int(digits, 16) * factor
        if int(digits, 16) >= 1 << 31:  # PowerShell reads those as negative numbers of their width
            return None
    elif "." in digits:
        return None if is_long else float(digits) * factor
    else:
        value = int(digits) * factor
    if value not in _INT64:
        return None
    return Int64(value) if is_long or value not in _INT32 else value
