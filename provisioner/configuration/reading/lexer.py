"""MOF text as tokens.

One pattern finds the next token; nothing here is tried twice, so the time grows with the text. What is wrong
inside a literal is recorded and the token is still given, so that one bad string hides nothing after it.
Source of the grammar: mof-format section 8 and DSP0004 annex A.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from provisioner.configuration.reading.text import MofText
    from provisioner.diagnostics import Diagnostics


class TokenKind(Enum):
    """What a token is; the value is how a message names it."""

    WORD = "a name"
    ALIAS = "an alias"
    STRING = "a text"
    CHARACTER = "a character"
    NUMBER = "a number"
    SIGN = "a sign"
    END = "the end of the file"


class Token(NamedTuple):
    """One token; ``text`` is as written, ``value`` what a literal means. ``start`` and ``end`` are offsets."""

    kind: TokenKind
    text: str
    start: int
    end: int
    value: str | int | float | None = None


_TOKEN = re.compile(
    r"""
    (?: [ \t\r\n\f\v]++ | //[^\n]*+ | /\*(?s:.*?)\*/ )*+
    (?:
        (?P<WORD>      [A-Za-z_][A-Za-z0-9_]*+ )
      | (?P<SIGN>      [{}=;,] )
      | (?P<STRING>    "[^"\\]*+(?:\\(?s:.)[^"\\]*+)*+" )
      | (?P<ALIAS>     \$[A-Za-z_][A-Za-z0-9_]*+ )
      | (?P<NUMBER>    [+-]?(?:[0-9]|\.[0-9])(?:(?<=[eE])[+-]|[0-9A-Za-z_.])*+ )
      | (?P<CHARACTER> '(?:\\[xX][0-9a-fA-F]{1,4}|\\(?s:.)|[^'\\])' )
      | (?P<PRAGMA>    \#[ \t]*+[A-Za-z_]++[ \t]*+[A-Za-z_]*+[ \t]*+
                       (?: \([ \t]*+"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"[ \t]*+\) )?+ )
      | (?P<OTHER>     (?s:.) )
    )?+
    """,
    re.VERBOSE,
)
_INSTANCE = re.compile(r"^[ \t]*+instance[ \t]++of\b", re.IGNORECASE | re.MULTILINE)
_ESCAPE = re.compile(r"\\(?:[xX]([0-9a-fA-F]{1,4})|(.))", re.DOTALL)
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_INTEGER = re.compile(
    r"(?P<sign>[+-]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|(?P<binary>[01]+)[bB]|0(?P<octal>[0-7]+)|(?P<decimal>0|[1-9][0-9]*))"
)
_BASES = {"hex": 16, "binary": 2, "octal": 8, "decimal": 10}
_REAL = re.compile(r"[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?")
#: uint64 in binary has 64 digits; whatever is longer fits no type, and reading it would only cost time.
_LONGEST_NUMBER = 80
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
#: How much of a wrong token a message shows.
_QUOTED = 40
#: Who has so many problems has one that is none of these: the file is no MOF.
MOST_PROBLEMS = 50


class Lexer:
    """Gives the tokens of one text, one after the other."""

    def __init__(self, text: MofText, problems: Diagnostics) -> None:
        self._source = text
        self._text = text.text
        self._problems = problems
        self._offset = 0
        self._is_hopeless = False

    def skip_to_instance(self, offset: int) -> None:
        """Go on at the next line that begins with ``instance of``, whatever stands before it."""
        found = _INSTANCE.search(self._text, offset)
        self._offset = found.start() if found and not self._is_hopeless else len(self._text)

    def quote(self, token: Token) -> str:
        """Show a token in a message; passwords are masked."""
        if token.kind is TokenKind.END:
            return TokenKind.END.value
        shown = self._source.shown[token.start : min(token.end, token.start + _QUOTED)]
        return f"'{' '.join(shown.split())}{'...' if token.end - token.start > _QUOTED else ''}'"

    def next(self) -> Token:
        """Return the next token; END again and again after the last."""
        while True:
            found = _TOKEN.match(self._text, self._offset)
            assert found is not None, "every part of the pattern may be empty"
            self._offset = found.end()
            group = found.lastgroup
            if group is None:
                return Token(TokenKind.END, "", self._offset, self._offset)
            start, written = found.start(group), found[group]
            match group:
                case "STRING":
                    return Token(
                        TokenKind.STRING,
                        written,
                        start,
                        found.end(),
                        self._unescaped(written[1:-1], start + 1),
                    )
                case "NUMBER":
                    return Token(TokenKind.NUMBER, written, start, found.end(), self._number(written, start))
                case "CHARACTER":
                    value = self._unescaped(written[1:-1], start + 1)
                    return Token(TokenKind.CHARACTER, written, start, found.end(), value)
                case "PRAGMA":
                    self._pragma(written, start)
                case "OTHER":
                    self._other(written, start)
                case _:
                    return Token(TokenKind[group], written, start, found.end())

    def _unescaped(self, inner: str, start: int) -> str:
        if "\\" not in inner:
            return inner

        def replaced(found: re.Match[str]) -> str:
            if found[1]:
                return chr(int(found[1], 16))
            character = _ESCAPED.get(found[2])
            if character is None:
                self.refuse(
                    "Unknown escape in a text",
                    "A lone backslash begins an escape, and this one is none of MOF's: "
                    "\\\\ \\\" \\' \\b \\t \\n \\f \\r and \\x with up to four hexadecimal digits.",
                    (start + found.start(), start + found.end()),
                    "Write a backslash twice where one is meant.",
                )
                return found[0]
            return character

        value = _ESCAPE.sub(replaced, inner)
        if _SURROGATE.search(value):
            value = self._joined(value, start, start + len(inner))
        return value

    def _joined(self, value: str, start: int, end: int) -> str:
        r"""Join halves given as two ``\x`` escapes; a half alone is no character."""
        joined = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if "\ufffd" in joined and "\ufffd" not in value:
            self.refuse(
                "Escape is no character",
                "A \\x escape between D800 and DFFF is half a character, and its other half is not beside it.",
                (start, end),
            )
        return joined

    def _number(self, written: str, start: int) -> int | float:
        end = start + len(written)
        found = _INTEGER.fullmatch(written)
        if found and len(written) <= _LONGEST_NUMBER:
            base = next(name for name in _BASES if found[name] is not None)
            number = int(found["sign"] + found[base], _BASES[base])
            if _SMALLEST <= number <= _LARGEST:
                return number
        elif not found and _REAL.fullmatch(written):
            real = float(written)
            if math.isfinite(real):
                return real
        elif not found:
            self.refuse(
                "Number has another form",
                "It is neither a whole number (12, -12, 0x0C, 014, 1100b) nor one with a point (1.2, 1.2E3).",
                (start, end),
                "Put it in quotes if text is meant.",
            )
            return 0
        self.refuse("Number is out of range", "No CIM type holds a number of this size.", (start, end))
        return 0

    def _pragma(self, written: str, start: int) -> None:
        words = written[1:].replace("(", " ").split()
        place = (start, start + len(written.rstrip()))
        name = words[1].casefold() if len(words) > 1 else ""
        if words[0].casefold() != "pragma" or not written.endswith(")"):
            self.refuse(
                "Directive has another form", 'A directive is written: #pragma NAME ("VALUE").', place
            )
        elif name == "include":
            self.refuse(
                "Document includes another file",
                "The included file would be needed to know what the document says, and only this one is read.",
                place,
                "Put its instances in the place of the directive.",
            )
        else:
            self._problems.warning(
                "Directive is ignored",
                "It changes nothing about the instances.",
                self._source.range(*place),
            )
            self._stop_when_hopeless()

    def _other(self, written: str, start: int) -> None:
        """Refuse what begins no token. What is not closed takes the rest of the file with it."""
        place = (start, start + 1)
        if written == '"':
            self.refuse("Text has no end", 'The quote (") that opens here is never closed.', place)
            self.skip_to_instance(start)
        elif self._text.startswith("/*", start):
            self.refuse("Comment has no end", "The comment that opens here is never closed by '*/'.", place)
            self.skip_to_instance(start)
        elif written == "'":
            self.refuse(
                "Character has another form",
                "Between single quotes stands exactly one character, and a text takes double quotes.",
                place,
            )
        else:
            self.refuse(
                "Character is not expected here", f"No part of a MOF document begins with {written!a}.", place
            )

    def refuse(self, summary: str, detail: str, place: tuple[int, int], help: str = "") -> None:
        """Record an error at two offsets. After the most that is of use, the file counts as read."""
        self._problems.error(summary, detail, self._source.range(*place), help)
        self._stop_when_hopeless()

    def _stop_when_hopeless(self) -> None:
        if len(self._problems) >= MOST_PROBLEMS:
            self._is_hopeless = True
            self._offset = len(self._text)
