"""MOF text as tokens, with the positions and the words of the MOF parser in Windows.

Own code of the lab, so that it can catch mistakes of whoever wrote the document. Source of the grammar: DSP0004
annex A; of the messages: ``mof/strings.h`` of the open-source LCM, seen in error texts of Windows too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Char16(str):
    """A ``'c'`` literal."""

    __slots__ = ()


class MofError(Exception):
    """The document is no MOF, or says what its classes do not allow.

    ``line`` and ``char`` count from 1. The text is what the parser of an LCM reports.
    """

    def __init__(self, message: str, line: int, char: int, excerpt: str) -> None:
        self.message = message
        self.line = line
        self.char = char
        super().__init__(f"{message}\n At line:{line}, char:{char}\n Buffer:\n{excerpt}\n")


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    ALIAS = "alias"
    VALUE = "value"  # a literal; ``value`` holds it
    SIGN = "sign"  # one of { } = ; , ( ) # [ ] :
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token. ``start`` and ``end`` are offsets into the text."""

    kind: Kind
    text: str
    start: int
    end: int
    value: str | int | float | None = None


_CHAR16_MAX = 0xFFFF
#: More digits than any integer type holds; converting longer ones only costs time.
_LONGEST_NUMBER = 25
#: How much text an error shows before and after its place.
_EXCERPT = 30
_SIGNS = frozenset("{}=;,()#[]:")
_BLANK = re.compile(r"[ \t\r\n\f\v]+")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ALIAS = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[+-]?(?:[0-9]|\.[0-9])[0-9A-Za-z_.]*(?:(?<=[eE])[+-][0-9]+)?")
_HEX = re.compile(r"([+-]?)0[xX]([0-9a-fA-F]+)\Z")
_BINARY = re.compile(r"([+-]?)([01]+)[bB]\Z")
_OCTAL = re.compile(r"([+-]?)0([0-7]+)\Z")
_DECIMAL = re.compile(r"[+-]?(?:0|[1-9][0-9]*)\Z")
_REAL = re.compile(r"[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?\Z")
_PLAIN = re.compile(r'[^"\\]+')
_HEX_ESCAPE = re.compile(r"[0-9a-fA-F]{1,4}")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_INT64 = (-(2**63), 2**64 - 1)


def decode(data: bytes) -> str:
    """Decode a document: UTF-16 by its byte order mark, else UTF-8 with or without one.

    Raises:
        MofError: the bytes are neither.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise MofError("Buffer is not supported. Check encoding and length of the buffer", 1, 1, "") from None


def error_at(text: str, offset: int, message: str) -> MofError:
    """Build the error for a place in ``text``."""
    line = text.count("\n", 0, offset) + 1
    char = offset - (text.rfind("\n", 0, offset) + 1) + 1
    excerpt = f"{text[max(0, offset - _EXCERPT) : offset]}^{text[offset : offset + _EXCERPT]}"
    return MofError(message, line, char, excerpt)


def tokens(text: str) -> Iterator[Token]:
    """Split ``text``; the last token is END. Comments and blanks are dropped.

    Raises:
        MofError: a character or literal that is none of MOF's.
    """
    offset = 0
    while True:
        offset = _skip(text, offset)
        if offset >= len(text):
            yield Token(Kind.END, "", len(text), len(text))
            return
        token = _next(text, offset)
        yield token
        offset = token.end


def _skip(text: str, offset: int) -> int:
    """Move over blanks and comments."""
    while offset < len(text):
        if blank := _BLANK.match(text, offset):
            offset = blank.end()
        elif text.startswith("//", offset):
            end = text.find("\n", offset)
            offset = len(text) if end < 0 else end
        elif text.startswith("/*", offset):
            end = text.find("*/", offset + 2)
            if end < 0:
                where = error_at(text, offset, "")
                raise error_at(
                    text,
                    len(text),
                    f"Syntax Error. Comment(s) incomplete, started at line:{where.line}, char:{where.char}",
                )
            offset = end + 2
        else:
            break
    return offset


def _next(text: str, start: int) -> Token:
    first = text[start]
    if first == '"':
        return _string(text, start)
    if first == "'":
        return _char16(text, start)
    if first in _SIGNS:
        return Token(Kind.SIGN, first, start, start + 1)
    if found := _NUMBER.match(text, start):
        return Token(Kind.VALUE, found[0], start, found.end(), _number(text, start, found[0]))
    if found := _WORD.match(text, start):
        return Token(Kind.WORD, found[0], start, found.end())
    if found := _ALIAS.match(text, start):
        return Token(Kind.ALIAS, found[0], start, found.end())
    raise error_at(text, start, f"Syntax Error. Token not recognized: {first}")


def _string(text: str, start: int) -> Token:
    parts: list[str] = []
    offset = start + 1
    while offset < len(text):
        if plain := _PLAIN.match(text, offset):
            parts.append(plain[0])
            offset = plain.end()
        elif text[offset] == '"':
            return Token(Kind.VALUE, text[start : offset + 1], start, offset + 1, "".join(parts))
        else:
            character, offset = _escape(text, offset)
            parts.append(character)
    where = error_at(text, start, "")
    raise error_at(
        text,
        len(text),
        "Syntax Error. Literal string declaration is not complete, "
        f"started at line:{where.line}, char:{where.char}",
    )


def _escape(text: str, offset: int) -> tuple[str, int]:
    """Read the escape whose backslash is at ``offset``; give the character and what follows."""
    letter = text[offset + 1 : offset + 2]
    if letter in _ESCAPES:
        return _ESCAPES[letter], offset + 2
    if letter in {"x", "X"} and (digits := _HEX_ESCAPE.match(text, offset + 2)):
        return chr(int(digits[0], 16)), digits.end()
    raise error_at(text, offset + 1, f"Syntax Error. Unrecognized escaped character: {letter}")


def _char16(text: str, start: int) -> Token:
    if text.startswith("\\", start + 1):
        character, end = _escape(text, start + 1)
    else:
        character, end = text[start + 1 : start + 2].replace("'", ""), start + 2
    if not character or text[end : end + 1] != "'" or ord(character) > _CHAR16_MAX:
        raise error_at(
            text, start, f"Syntax Error. Char16 value declaration is not valid: {text[start : start + 4]}"
        )
    return Token(Kind.VALUE, text[start : end + 1], start, end + 1, Char16(character))


def _number(text: str, start: int, literal: str) -> int | float:
    number: int
    if found := _HEX.match(literal):
        number = int(found[1] + found[2], 16)
    elif found := _BINARY.match(literal):
        number = int(found[1] + found[2], 2)
    elif found := _OCTAL.match(literal):
        number = int(found[1] + found[2], 8)
    elif len(literal) <= _LONGEST_NUMBER and _DECIMAL.match(literal):  # longer ones overflow in any case
        number = int(literal)
    elif _DECIMAL.match(literal):
        raise error_at(text, start, "Integer overflow")
    elif _REAL.match(literal):
        return float(literal)
    else:
        raise error_at(text, start, f"Syntax Error. Number value not valid: {literal}")
    if not _INT64[0] <= number <= _INT64[1]:
        raise error_at(text, start, "Integer overflow")
    return number
