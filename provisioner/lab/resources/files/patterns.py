r"""Regular expressions of .NET, carried out with those of Python.

A pattern is translated piece by piece: what both spell differently is respelled, what .NET would not parse is an
error, and what Python cannot do is refused, so that nothing matches silently in another way. Numbers of groups are
those of .NET, where named groups come after all others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from provisioner.lab.resources.base import ResourceError
from provisioner.lab.resources.files import character_sets
from provisioner.lab.resources.files.character_sets import Ranges, as_class, shorthand

_PLAIN_ESCAPES = {"a": "\a", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_OPTIONS = re.compile(r"\(\?([imnsxIMNSX]*)(?:-([imnsxIMNSX]*))?([:)])")
_NAMED = re.compile(r"\(\?(?:<([^\W\d]\w*)>|'([^\W\d]\w*)')")
_REFERENCE = re.compile(r"k(?:<(\w+)>|'(\w+)')")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})")
_SAME_IN_BOTH = ("(?=", "(?!", "(?:", "(?>", "(?<=", "(?<!")
_PROPERTY = re.compile(r"[pP]\{(\w+)\}")
#: What Python says of patterns that .NET takes.
_PYTHON_CANNOT = (
    "look-behind requires fixed-width",
    "redefinition of group",
    "cannot refer to",
    "sorry, but",
)
_SHARED_OPTIONS = frozenset("ims")


@dataclass(slots=True)
class _Group:
    """An open group. ``wrappers`` are the option groups that reach from within to its end."""

    options: set[str]
    wrappers: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that can be used. ``numbers`` are the groups of Python by the number .NET gives them."""

    compiled: re.Pattern[str]
    numbers: tuple[int, ...]
    names: Mapping[str, int]

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """Find all matches; behind an empty one the search goes on with the next character, as in .NET."""
        at = 0
        while at <= len(text) and (found := self.compiled.search(text, at)):
            yield found
            at = found.end() + (found.end() == found.start())

    def group(self, match: re.Match[str], number: int) -> str:
        """Give what the group of this number of .NET caught; '' when it took no part."""
        return match[self.numbers[number]] or ""

    def replace(self, text: str, replacement: str) -> str:
        """Regex.Replace: ``$1``, ``${name}``, ``$&``, ``$$`` and their like mean something in the replacement."""
        parts: list[str] = []
        at = 0
        for match in self.matches(text):
            parts += [text[at : match.start()], self._filled(match, replacement)]
            at = match.end()
        return "".join([*parts, text[at:]])

    def _filled(self, match: re.Match[str], replacement: str) -> str:
        text = match.string
        simple = {
            "$$": "$",
            "$&": match[0],
            "$`": text[: match.start()],
            "$'": text[match.end() :],
            "$+": self.group(match, len(self.numbers) - 1),
            "$_": text,
        }

        def put(found: re.Match[str]) -> str:
            whole = found[0]
            if whole in simple:
                return simple[whole]
            name = found[1] or found[2]
            if name.isdecimal():
                return self.group(match, int(name)) if int(name) < len(self.numbers) else whole
            return match[self.names[name]] or "" if name in self.names else whole

        return _SUBSTITUTION.sub(put, replacement)


_SUBSTITUTION = re.compile(r"\$(?:[$&`'+_]|([0-9]+)|\{(\w+)\})")


@lru_cache(maxsize=256)
def parse(text: str, *, ignores_case: bool = False, is_multiline: bool = False) -> Pattern:
    """Translate and compile.

    Raises:
        re.error: .NET does not parse it either.
        ResourceError: .NET would, and the lab cannot.
    """
    translation = _Translation(text)
    translated = translation.run()
    flags = (re.IGNORECASE if ignores_case else 0) | (re.MULTILINE if is_multiline else 0)
    try:
        compiled = re.compile(translated, flags)
    except re.error as error:
        if any(words in error.msg for words in _PYTHON_CANNOT):
            raise refused(text, error.msg) from None
        raise re.error(error.msg, text) from None
    groups = translation.groups
    unnamed = [number for number, name in enumerate(groups, 1) if name is None]
    named = {name: number for number, name in enumerate(groups, 1) if name is not None}
    return Pattern(compiled, (0, *unnamed, *named.values()), named)


def refused(text: str, why: str) -> ResourceError:
    """Make the error of a pattern that Windows takes and the lab cannot carry out."""
    return ResourceError(
        f"The lab cannot carry out the regular expression '{text}' as .NET does: {why}.",
        "PatternNotSimulated",
        "NotImplemented",
        "System.NotImplementedException",
    )


class _Translation:
    """One pass over the text of a pattern."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        #: Names of the groups in the order of Python, None for one without.
        self.groups: list[str | None] = []
        self._out: list[str] = []
        #: References by number, and where they stand: groups may come later.
        self._references: list[tuple[int, str]] = []
        self._open = [_Group(set())]
        self._is_repeatable = False

    def run(self) -> str:
        while self.at < len(self.text):
            self._step()
        if len(self._open) > 1:
            raise self._error("Not enough )'s")
        self._put(")" * len(self._open[0].wrappers))
        for place, digits in self._references:
            self._out[place] = self._resolved(digits)
        return "".join(self._out)

    def _step(self) -> None:
        char = self.text[self.at]
        options = self._open[-1].options
        if "x" in options and (char.isspace() or char == "#"):
            end = self.text.find("\n", self.at) if char == "#" else self.at
            self.at = len(self.text) if end < 0 else end + 1
        elif char == "\\":
            self.at += 1
            self._escape()
        elif char == "[":
            self.at += 1
            self._put(self._class(), is_repeatable=True)
        elif char == "(":
            self._begin()
        elif char == ")":
            self._end()
        elif char == "|":
            wrappers = self._open[-1].wrappers
            self._put(")" * len(wrappers) + "|" + "".join(wrappers))
            self.at += 1
        elif _QUANTIFIER.match(self.text, self.at):
            self._quantify()
        else:
            self.at += 1
            is_anchor = char in "^$"
            self._put(
                f"(?:{char})" if is_anchor else char if char == "." else re.escape(char), is_repeatable=True
            )

    def _put(self, text: str, *, is_repeatable: bool = False) -> None:
        self._out.append(text)
        self._is_repeatable = is_repeatable

    def _error(self, why: str) -> re.error:
        return re.error(why, self.text, min(self.at, len(self.text)))

    def _refused(self, why: str) -> ResourceError:
        return refused(self.text, why)

    def _quantify(self) -> None:
        found = _QUANTIFIER.match(self.text, self.at)
        assert found is not None
        if not self._is_repeatable:
            raise self._error("Quantifier {x,y} following nothing")
        low, comma, high = found[0].strip("{}").partition(",")
        if comma and high and int(high) < int(low):
            raise self._error("Illegal {x,y} with x > y")
        self.at = found.end()
        lazy = self.text.startswith("?", self.at)
        self.at += lazy
        if _QUANTIFIER.match(self.text, self.at):
            raise self._error("Nested quantifier")
        self._put(found[0] + ("?" if lazy else ""))

    def _begin(self) -> None:
        text, at = self.text, self.at
        if text.startswith("(?#", at):
            self._skip_comment()
            return
        options = set(self._open[-1].options)
        if found := _OPTIONS.match(text, at):
            self._change_options(found, options)
            return
        if named := _NAMED.match(text, at):
            name = named[1] or named[2]
            if name in self.groups:
                raise self._refused("two groups of one name")
            self.groups.append(name)
            self._enter(f"(?P<{name}>", options, named.end())
            return
        for start in _SAME_IN_BOTH:
            if text.startswith(start, at):
                self._enter(start, options, at + len(start))
                return
        if text.startswith(("(?(", "(?<", "(?'"), at):
            raise self._refused("a condition, or a group that is numbered or balanced by hand")
        if text.startswith("(?", at):
            raise self._error("Unrecognized grouping construct")
        if "n" not in options:
            self.groups.append(None)
        self._enter("(?:" if "n" in options else "(", options, at + 1)

    def _skip_comment(self) -> None:
        end = self.text.find(")", self.at)
        if end < 0:
            raise self._error("Unterminated (?#...) comment")
        self.at = end + 1

    def _enter(self, start: str, options: set[str], at: int) -> None:
        self._put(start)
        self._open.append(_Group(options))
        self.at = at

    def _change_options(self, found: re.Match[str], options: set[str]) -> None:
        """``(?i)`` reaches to the end of the group it stands in, over its alternatives; ``(?i:`` is one."""
        on, off = set(found[1].lower()), set((found[2] or "").lower())
        options = (options | on) - off
        shared_on = "".join(sorted((on - off) & _SHARED_OPTIONS))
        shared_off = "".join(sorted(off & _SHARED_OPTIONS))
        start = f"(?{shared_on}{'-' if shared_off else ''}{shared_off}:"
        if found[3] == ":":
            self._enter(start, options, found.end())
            return
        self._open[-1].options = options
        self._open[-1].wrappers.append(start)
        self._put(start)
        self.at = found.end()

    def _end(self) -> None:
        if len(self._open) == 1:
            raise self._error("Too many )'s")
        self._put(")" * (len(self._open.pop().wrappers) + 1), is_repeatable=True)
        self.at += 1

    def _escape(self) -> None:
        """Carry over what follows a backslash outside of classes."""
        char = self._peek()
        if char in "AZzGbB":
            self.at += 1
            if char == "G":
                raise self._refused(r"\G")
            word = as_class(shorthand("b"))
            edges = {
                "A": r"\A",
                "Z": r"(?=\n?\Z)",
                "z": r"\Z",
                "b": f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))",
                "B": f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))",
            }
            self._put(f"(?:{edges[char]})", is_repeatable=True)
        elif ranges := self._set():
            self._put(as_class(ranges), is_repeatable=True)
        elif char == "k":
            found = _REFERENCE.match(self.text, self.at)
            if not found:
                raise self._error(r"Malformed \k<...> named back reference")
            self.at = found.end()
            self._refer(found[1] or found[2])
        elif char in "123456789":
            found = re.compile(r"[0-9]+").match(self.text, self.at)
            assert found is not None
            self.at = found.end()
            self._refer(found[0])
        else:
            self._put(re.escape(self._char()), is_repeatable=True)

    def _refer(self, name: str) -> None:
        if name.isdecimal():
            self._references.append((len(self._out), name))
            self._put("", is_repeatable=True)
            return
        if name not in self.groups:
            raise self._error(f"Reference to undefined group name {name}")
        self._put(f"(?P={name})", is_repeatable=True)

    def _resolved(self, digits: str) -> str:
        """Give a reference by number, or the octal number that more than one digit are otherwise."""
        unnamed = [number for number, name in enumerate(self.groups, 1) if name is None]
        named = [number for number, name in enumerate(self.groups, 1) if name is not None]
        order = [0, *unnamed, *named]
        if int(digits) < len(order):
            return f"(?:\\{order[int(digits)]})"
        octal = re.match(r"[0-7]{2,3}", digits)
        if octal is None:
            raise self._error(f"Reference to undefined group number {digits}")
        return re.escape(chr(int(octal[0], 8) & 0xFF)) + digits[octal.end() :]

    def _peek(self) -> str:
        if self.at >= len(self.text):
            raise self._error(r"Illegal \ at end of pattern")
        return self.text[self.at]

    def _set(self) -> Ranges | None:
        r"""Read ``\w`` and its like, or ``\p{..}``."""
        char = self._peek()
        if char in "dDwWsS":
            self.at += 1
            return shorthand(char)
        if char not in "pP":
            return None
        found = _PROPERTY.match(self.text, self.at)
        if not found:
            raise self._error(r"Incomplete \p{X} character escape")
        ranges = character_sets.category(found[1])
        if ranges is None:
            if found[1].startswith("Is"):
                raise self._refused(f"the block {found[1]}")
            raise self._error(f"Unknown property '{found[1]}'")
        self.at = found.end()
        return character_sets.without(ranges) if char == "P" else ranges

    def _char(self) -> str:
        """Read one character after a backslash."""
        char = self._peek()
        self.at += 1
        if char in _PLAIN_ESCAPES:
            return _PLAIN_ESCAPES[char]
        if char in "xu":
            length = 2 if char == "x" else 4
            digits = self.text[self.at : self.at + length]
            if not re.fullmatch(rf"[0-9A-Fa-f]{{{length}}}", digits):
                raise self._error("Insufficient hexadecimal digits")
            self.at += length
            return chr(int(digits, 16))
        if char == "c":
            control = self._peek().upper()
            self.at += 1
            if not "@" <= control <= "_":
                raise self._error("Unrecognized control character")
            return chr(ord(control) - ord("@"))
        if char in "01234567":
            found = re.compile(r"[0-7]{1,3}").match(self.text, self.at - 1)
            assert found is not None
            self.at = found.end()
            return chr(int(found[0], 8) & 0xFF)
        if char == "_" or char.isalnum():
            raise self._error(f"Unrecognized escape sequence \\{char}")
        return char

    def _class(self) -> str:
        """Read a class behind its bracket, with what ``-[...]`` takes away from it."""
        text = self.text
        is_negated = text.startswith("^", self.at)
        self.at += is_negated
        ranges: list[tuple[int, int]] = []
        is_first = True
        while True:
            if self.at >= len(text):
                raise self._error("Unterminated [] set")
            if text[self.at] == "]" and not is_first:
                self.at += 1
                return as_class(character_sets.joined(ranges), is_negated=is_negated)
            if text.startswith("-[", self.at) and not is_first:
                self.at += 2
                taken = self._class()
                if not text.startswith("]", self.at):
                    raise self._error("A subtraction must be the last element in a character class")
                self.at += 1
                whole = as_class(character_sets.joined(ranges), is_negated=is_negated)
                return f"(?:(?!{taken}){whole})"
            is_first = False
            ranges += self._item()

    def _item(self) -> list[tuple[int, int]]:
        """Read one element of a class: a set, a character or a range."""
        if self.text[self.at] == "\\":
            self.at += 1
            if ranges := self._set():
                return list(ranges)
        else:
            self.at += 1
            return self._range(ord(self.text[self.at - 1]))
        return self._range(ord(self._class_char()))

    def _class_char(self) -> str:
        if self._peek() == "b":
            self.at += 1
            return "\b"
        return self._char()

    def _range(self, low: int) -> list[tuple[int, int]]:
        text = self.text
        is_range = text.startswith("-", self.at) and not text.startswith(("-]", "-["), self.at)
        if not is_range or self.at + 1 >= len(text):
            return [(low, low)]
        self.at += 1
        if text[self.at] == "\\":
            self.at += 1
            if self._set():
                raise self._error("Cannot include a class in a character range")
            high = ord(self._class_char())
        else:
            high = ord(text[self.at])
            self.at += 1
        if high < low:
            raise self._error("[x-y] range in reverse order")
        return [(low, high)]
