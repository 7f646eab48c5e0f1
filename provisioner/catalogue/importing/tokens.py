"""PowerShell text as tokens: as much of its lexical rules as declarations need.

The declarations of a module (classes, enumerations, parameters, hashtables of a manifest) are read without
running anything. Everything between them is skipped by its brackets, so what counts is that strings, comments
and here-strings end where PowerShell ends them. tree-sitter-powershell is not used: it does not read class
members that carry several attributes, which is what every published class based resource has.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from provisioner.diagnostics import SourceFile, SourceRange

#: Characters PowerShell takes for quotes, typographic ones included.
SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
DOUBLE_QUOTES = '"\u201c\u201d\u201e'

#: Deepest nesting of subexpressions in strings; real modules stay below five.
_DEEPEST = 40
#: Most tokens of one script; real modules have some ten thousand.
MOST_TOKENS = 1_000_000

_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_SPACE = re.compile(r"(?:[^\S\n]|\ufeff|`\r?\n)+")
_VARIABLE = re.compile(r"[$@](?:\{(?:[^{}`]|`.){0,256}\}|(?:\w+:(?!:))?\w+)|\$[$?^]", re.DOTALL)
_STOP = r"\s{}()\[\];,|&<>=:$@" + SINGLE_QUOTES + DOUBLE_QUOTES
_WORD = re.compile(rf"(?:`.|[^{_STOP}#`])(?:`.|[^{_STOP}`])*", re.DOTALL)
_HERE = re.compile(rf"@([{SINGLE_QUOTES}{DOUBLE_QUOTES}])[^\S\n]*\n")
_SYMBOLS = "{}()[];,|&<>=:$@`"


class TokenKind(Enum):
    """What a token is."""

    WORD = "word"
    VARIABLE = "variable"
    STRING = "string"
    SYMBOL = "symbol"
    NEW_LINE = "new line"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of PowerShell. ``value`` is the text of a string that has no variable in it, else None.

    The text of a variable is its name. ``@(`` and ``@{`` are one symbol each, as is ``$(``.
    """

    kind: TokenKind
    text: str
    start: int
    end: int
    value: str | None = None

    def is_symbol(self, *symbols: str) -> bool:
        """Whether it is one of these symbols."""
        return self.kind is TokenKind.SYMBOL and self.text in symbols

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, without regard to case."""
        return self.kind is TokenKind.WORD and self.text.casefold() in words


class ScriptProblem(Exception):
    """What cannot be read in a script, and where."""

    def __init__(self, message: str, start: int, end: int | None = None) -> None:
        self.message = message
        self.start = start
        self.end = start + 1 if end is None else end
        super().__init__(message)


class Script:
    """A PowerShell text with its tokens."""

    def __init__(self, path: str, text: str) -> None:
        self.source = SourceFile(path, text)
        self.text = text

    @cached_property
    def tokens(self) -> list[Token]:
        """All tokens but comments and spaces.

        Raises:
            ScriptProblem: a string, comment or subexpression does not end.
        """
        return _Lexer(self.text).all()

    def where(self, start: int, end: int | None = None) -> SourceRange:
        """Return the position of a stretch of the text."""
        line, column = self._position(start)
        end_line, end_column = self._position(start + 1 if end is None else end)
        return SourceRange(self.source, line, column, end_line, end_column)

    def _position(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, offset) - 1
        return line + 1, offset - self._line_starts[line] + 1

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text

    def all(self) -> list[Token]:
        tokens = []
        position = 0
        while position < len(self._text):
            token, position = self._next(position, 0)
            if token:
                tokens.append(token)
                if len(tokens) > MOST_TOKENS:
                    raise ScriptProblem("The script is too long to be read.", token.start, token.end)
        return tokens

    def _next(  # noqa: C901 - one branch for each kind of token
        self, at: int, depth: int
    ) -> tuple[Token | None, int]:
        """Return the token at a position, or None for what is skipped, and where it ends."""
        text, char = self._text, self._text[at]
        if space := _SPACE.match(text, at):
            return None, space.end()
        if char == "\n":
            return Token(TokenKind.NEW_LINE, "\n", at, at + 1), at + 1
        if text.startswith("<#", at):
            return None, self._find("#>", at, "This comment does not end.") + 2
        if char == "#":
            end = text.find("\n", at)
            return None, len(text) if end < 0 else end
        if here := _HERE.match(text, at):
            return self._here_string(at, here)
        if char in SINGLE_QUOTES:
            return self._verbatim(at)
        if char in DOUBLE_QUOTES:
            return self._expandable(at, depth)
        if text.startswith(("@(", "@{", "$("), at):
            return Token(TokenKind.SYMBOL, text[at : at + 2], at, at + 2), at + 2
        if variable := _VARIABLE.match(text, at):
            name = variable[0][1:]
            name = name[1:-1] if name.startswith("{") else name
            return Token(TokenKind.VARIABLE, name, at, variable.end()), variable.end()
        if char in _SYMBOLS and not (char == "`" and _WORD.match(text, at)):
            return Token(TokenKind.SYMBOL, char, at, at + 1), at + 1
        word = _WORD.match(text, at)
        end = word.end() if word else at + 1
        return Token(TokenKind.WORD, text[at:end], at, end), end

    def _here_string(self, at: int, head: re.Match[str]) -> tuple[Token, int]:
        quotes = SINGLE_QUOTES if head[1] in SINGLE_QUOTES else DOUBLE_QUOTES
        # The last line break belongs to the end mark; an empty here-string has none before it.
        mark = re.compile(rf"\r?\n[{quotes}]@").search(self._text, head.end() - 1)
        if mark is None:
            raise ScriptProblem("This here-string does not end.", at)
        body = self._text[head.end() : max(head.end(), mark.start())]
        is_static = quotes == SINGLE_QUOTES or not ("$" in body or "`" in body)
        token = Token(
            TokenKind.STRING, self._text[at : mark.end()], at, mark.end(), body if is_static else None
        )
        return token, mark.end()

    def _verbatim(self, at: int) -> tuple[Token, int]:
        pieces = []
        position = start = at + 1
        text = self._text
        while position < len(text):
            if text[position] not in SINGLE_QUOTES:
                position += 1
            elif position + 1 < len(text) and text[position + 1] in SINGLE_QUOTES:
                # Of two quotes the second stays; they may be of two kinds.
                pieces.append(text[start:position] + text[position + 1])
                position = start = position + 2
            else:
                value = "".join(pieces) + text[start:position]
                end = position + 1
                return Token(TokenKind.STRING, text[at:end], at, end, value), end
        raise ScriptProblem("This string does not end.", at)

    def _expandable(self, at: int, depth: int) -> tuple[Token, int]:
        if depth > _DEEPEST:
            raise ScriptProblem("Strings are nested too deeply here.", at)
        pieces: list[str] = []
        is_static = True
        text, position = self._text, at + 1
        while position < len(text):
            char = text[position]
            following = text[position + 1 : position + 2]
            if char == "`" and following:
                pieces.append(_ESCAPES.get(following, following))
                position += 2
            elif char in DOUBLE_QUOTES and following and following in DOUBLE_QUOTES:
                pieces.append(following)
                position += 2
            elif char in DOUBLE_QUOTES:
                value = "".join(pieces) if is_static else None
                return Token(TokenKind.STRING, text[at : position + 1], at, position + 1, value), position + 1
            elif char == "$" and following == "(":
                is_static = False
                position = self._subexpression(position, depth + 1)
            elif char == "$" and (variable := _VARIABLE.match(text, position)):
                is_static = False
                position = variable.end()  # a name in braces may hold quotes
            else:
                pieces.append(char)
                position += 1
        raise ScriptProblem("This string does not end.", at)

    def _subexpression(self, at: int, depth: int) -> int:
        """Return where the ``$(`` at a position ends."""
        position, opened = at + 2, 1
        while position < len(self._text):
            token, position = self._next(position, depth)
            if token and token.is_symbol("(", "@(", "$("):
                opened += 1
            elif token and token.is_symbol(")"):
                opened -= 1
                if not opened:
                    return position
        raise ScriptProblem("This subexpression does not end.", at)

    def _find(self, mark: str, at: int, message: str) -> int:
        found = self._text.find(mark, at)
        if found < 0:
            raise ScriptProblem(message, at)
        return found
