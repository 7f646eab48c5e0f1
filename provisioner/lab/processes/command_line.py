"""The command lines of cmd.exe as trees: what is joined by ``&``, ``&&``, ``||`` and ``|``, and redirected where.

Pure: text in, values out. Variables are expanded first and by text, as cmd.exe does, so that a value may hold
operators. What cmd.exe calls a syntax error is ``SyntaxProblem``; commands with a grammar of their own (IF, FOR)
are not simulated and are refused where they would run.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

_VARIABLE: Final = re.compile(r"%([^%\s=:|&<>^\"][^%=:|&<>^\"]*)%")
_ARGUMENT: Final = re.compile(r"%(~?[0-9*])")
_OPERATORS: Final = ("&&", "||", "&", "|")
#: How deep groups may nest.
_MAX_DEPTH: Final = 50


class SyntaxProblem(Exception):
    """cmd.exe does not understand the line; ``token`` is what it stumbles over."""

    def __init__(self, token: str) -> None:
        self.token = token
        super().__init__(f"unexpected {token!r}")


@dataclass(frozen=True, slots=True)
class Redirection:
    """``handle`` (0, 1, 2) goes to, or comes from, a file, or is the same as handle ``same_as``."""

    handle: int
    path: str = ""
    appends: bool = False
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    """One command: its text without redirections, quotes still there."""

    text: str
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Commands in parentheses."""

    inner: Node
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """Two commands and the operator between them."""

    operator: str
    left: Node
    right: Node


Node: TypeAlias = Simple | Group | Joined


def expand(line: str, look_up: Callable[[str], str | None], *, is_batch: bool) -> str:
    """Replace ``%NAME%``.

    What is not defined stays as it is, or goes away in a batch file, where ``%%`` is a percent sign.
    """

    def value(found: re.Match[str]) -> str:
        text = look_up(found[1])
        if text is not None:
            return text
        return "" if is_batch else found[0]

    if not is_batch:
        return _VARIABLE.sub(value, line)
    parts = [_VARIABLE.sub(value, part) for part in line.split("%%")]
    return "%".join(parts)


def expand_arguments(line: str, arguments: tuple[str, ...]) -> str:
    """Replace ``%0`` to ``%9`` and ``%*`` of a batch file; ``%~1`` is without quotes."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name.endswith("*"):
            return " ".join(arguments[1:])
        index = int(name[-1])
        text = arguments[index] if index < len(arguments) else ""
        return text.strip('"') if name.startswith("~") else text

    return "%%".join(_ARGUMENT.sub(value, part) for part in line.split("%%"))


def parse(line: str) -> Node | None:
    """Read a line whose variables are expanded; None when it is empty.

    Raises:
        SyntaxProblem: It is no command line.
    """
    parser = _Parser(_Cutter(line).cut())
    if parser.is_at_end:
        return None
    node = parser.sequence(0)
    if not parser.is_at_end:
        raise SyntaxProblem(parser.peek)
    return node


_Piece: TypeAlias = "str | Redirection | _Text"


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


class _Cutter:
    """Cuts a line into operators, redirections and the texts between them."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._index = 0
        self._text = ""
        self.pieces: list[_Piece] = []

    def cut(self) -> list[_Piece]:
        while self._index < len(self._line):
            character = self._line[self._index]
            if character == '"':
                self._quoted()
            elif character == "^":
                self._text += self._line[self._index + 1 : self._index + 2]
                self._index += 2
            elif character in "<>":
                self._redirected(character)
            elif character in "&|)" or (character == "(" and not self._text.strip(" \t")):
                self._operator(character)
            else:
                self._text += character
                self._index += 1
        self._flush()
        return self.pieces

    def _quoted(self) -> None:
        end = self._line.find('"', self._index + 1)
        end = len(self._line) if end < 0 else end + 1
        self._text += self._line[self._index : end]
        self._index = end

    def _redirected(self, sign: str) -> None:
        handle = 0 if sign == "<" else 1
        if re.search(r"(?:^|[\s,;=(])[0-9]\Z", self._text):
            handle, self._text = int(self._text[-1]), self._text[:-1]
        self._flush()
        redirection, self._index = _redirection(self._line, self._index, handle)
        self.pieces.append(redirection)

    def _operator(self, character: str) -> None:
        operator = next((item for item in _OPERATORS if self._line.startswith(item, self._index)), character)
        self._flush()
        self.pieces.append(operator)
        self._index += len(operator)

    def _flush(self) -> None:
        # Blanks before a command go; those after a redirection belong to the command (``echo a>&2 `` writes "a ").
        is_tail = bool(self.pieces) and isinstance(self.pieces[-1], Redirection)
        if self._text.strip(" \t"):
            self.pieces.append(_Text(self._text if is_tail else self._text.lstrip(" \t")))
        elif is_tail and self._text:
            self.pieces.append(_Text(self._text))
        self._text = ""


def _redirection(line: str, index: int, handle: int) -> tuple[Redirection, int]:
    """Read a redirection from its sign on; return it and where the line goes on."""
    sign = line[index]
    index += 1
    appends = sign == ">" and line.startswith(">", index)
    index += appends
    if line.startswith("&", index):
        digit = line[index + 1 : index + 2]
        if not (digit.isascii() and digit.isdigit()):
            raise SyntaxProblem("&")
        return Redirection(handle, same_as=int(digit)), index + 2
    found = re.compile(r"[ \t]*((?:\"[^\"]*\"?|[^\s\"&|<>()^])+)").match(line, index)
    if found is None:
        rest = line[index:].strip()
        raise SyntaxProblem(rest[:1] or "the end of the line")
    return Redirection(handle, found[1].replace('"', ""), appends), found.end()


class _Parser:
    """``&`` binds least, then ``||``, ``&&`` and ``|``."""

    def __init__(self, pieces: list[_Piece]) -> None:
        self._pieces = pieces
        self._index = 0

    @property
    def is_at_end(self) -> bool:
        return self._index >= len(self._pieces)

    @property
    def peek(self) -> str:
        piece = self._pieces[self._index] if not self.is_at_end else ""
        return piece if isinstance(piece, str) else ""

    def sequence(self, depth: int, level: int = 0) -> Node:
        operators = ("&", "||", "&&", "|")
        if level == len(operators):
            return self._command(depth)
        node = self.sequence(depth, level + 1)
        while self.peek == operators[level]:
            self._index += 1
            if operators[level] == "&" and (self.is_at_end or self.peek == ")"):
                break  # a trailing & joins nothing
            node = Joined(operators[level], node, self.sequence(depth, level + 1))
        return node

    def _command(self, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise SyntaxProblem("(")
        redirections: list[Redirection] = []
        texts: list[str] = []
        inner: Node | None = None
        while not self.is_at_end:
            piece = self._pieces[self._index]
            match piece:
                case Redirection():
                    redirections.append(piece)
                case _Text(text) if inner is None or not text.strip():
                    texts.append(text)
                case "(" if inner is None and not texts:
                    self._index += 1
                    inner = self.sequence(depth + 1)
                    if self.peek != ")":
                        raise SyntaxProblem("(")
                case ")" if depth == 0 and texts:
                    texts.append(")")  # outside a group a closing parenthesis is text
                case _:
                    break
            self._index += 1
        if inner is not None:
            return Group(inner, tuple(redirections))
        if not texts and not redirections:
            raise SyntaxProblem(self.peek or "the end of the line")
        return Simple("".join(texts), tuple(redirections))
