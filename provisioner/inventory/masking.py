"""Hide passwords that stand in an inventory by mistake before any message can print their line.

The rule of the room: columns never move, so every mask is as long as what it hides.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import SourceFile
from provisioner.documents import Mapping, Scalar, Tree
from provisioner.inventory.schema import CONNECTION_KEYS, is_reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.diagnostics import SourceRange

_STARS: Final = re.compile(r"\S")

#: Shown in place of a secret.
HIDDEN: Final = "********"

_WORDS: Final = "pas{1,2}w|passp|pwd|secret|token|credential"
_SOUNDS: Final = re.compile(_WORDS, re.IGNORECASE)


def _key(words: str) -> str:
    """Return a pattern for a whole key with one of the words in it. Each key is tried once, so time is linear."""
    return rf"""^(?P<key>.*?(?<![\w-])(?=[\w-]*?(?:{words}))[\w-]++["']?[ \t]*"""


#: A key that sounds like a secret, and the rest of its line. A reference to a secret stays readable.
_LINE: Final = re.compile(
    _key(_WORDS) + r""":[ \t]*)"""
    r"""(?!["']?(?:env:\w+|file:[^"'\s,}|]+)(?:\|\w+)*["']?[ \t]*(?:[,}#]|$))(?P<value>\S.*)$""",
    re.IGNORECASE | re.MULTILINE,
)

#: A line with a key of its own, or an item of a list.
_WITH_KEY: Final = re.compile(r"""[ ]*(?:- |["']?[\w.-]+["']?[ \t]*:(?:[ \t]|$))""")

#: The same in texts of the form ``key=value`` or ``Key value``. They know no references; what a whole expression
#: without a text in it says is no secret.
_ASSIGNMENT: Final = re.compile(
    _key(_WORDS + r"|pas{1,2}\b")
    + r"""[=: \t][ \t]*+)(?![=:]|\}\}[ \t]*$|\{\{[^'"{}]*\}\}[ \t]*$)(?P<value>\S.*)$""",
    re.IGNORECASE | re.MULTILINE,
)


#: The password of ``scheme://user:password@host``; a placeholder, as in ``user:@{secret:NAME}@host``, is none.
_IN_ADDRESS: Final = re.compile(r"""(?P<before>://[^\s/@:"']*+:)(?P<value>(?!@\{)[^\s/"']+)(?=@)""")


def mask_addresses(text: str) -> str:
    """Return a text with the passwords of addresses starred out."""
    return _IN_ADDRESS.sub(lambda found: found["before"] + "*" * len(found["value"]), text)


def sounds_secret(name: str) -> bool:
    """Return whether a key says that its value is a secret."""
    return _SOUNDS.search(name) is not None


def mask_lines(source: SourceFile) -> SourceFile:
    """Return the source with the values of keys that sound like secrets starred out, line by line.

    A value may go on in deeper lines: all of a block after '|' or '>', and lines without a key of their own. For
    texts that are not YAML yet: it needs no tree.
    """
    lines = source.text.split("\n")
    hidden = mask_addresses(source.text).split("\n")
    keys: list[tuple[int, bool]] = []
    for number in _hinted(source.text):
        found = _LINE.search(lines[number])
        if found:
            hidden[number] = found["key"] + _STARS.sub("*", found["value"])
            keys.append((number, found["value"].startswith(("|", ">"))))
    for number, is_block in keys:
        for below in _deeper(lines, number, is_block=is_block):
            hidden[below] = _STARS.sub("*", hidden[below])
    return SourceFile(source.path, "\n".join(hidden))


def _hinted(text: str) -> Iterator[int]:
    """Yield the lines that have a word of a secret: few in a large file, and only they are looked at closely."""
    number = at = 0
    last = -1
    for word in _SOUNDS.finditer(text):
        number += text.count("\n", at, word.start())
        at = word.start()
        if number != last:
            last = number
            yield number


def _deeper(lines: list[str], number: int, *, is_block: bool) -> Iterator[int]:
    """Yield the lines in which the value of a key goes on."""
    depth = _depth(lines[number])
    for below in range(number + 1, len(lines)):
        line = lines[below]
        if not line.strip():
            continue
        if len(line) - len(line.lstrip(" ")) <= depth or (not is_block and _WITH_KEY.match(line)):
            return
        yield below


def _depth(line: str) -> int:
    """Return the column of the first key of a line; dashes of lists stand before it."""
    return (
        len(line) - len(line.lstrip(" -"))
        if line.lstrip(" ").startswith("- ")
        else len(line) - len(line.lstrip(" "))
    )


def mask_assignments(source: SourceFile) -> SourceFile:
    """Return a source of ``key=value`` or ``Key value`` lines with what may be a secret starred out."""
    text = _ASSIGNMENT.sub(lambda found: found["key"] + _STARS.sub("*", found["value"]), source.text)
    return SourceFile(source.path, text)


def mask_connections(tree: Tree, source: SourceFile) -> SourceFile:
    """Return the source with everything in ``connection:`` starred out that may be a password.

    That is any ``password`` that is no reference, and the value of any unknown key, unless the key is
    clearly another one misspelt.
    """
    return mask_places(source, _suspects(tree))


def mask_places(source: SourceFile, hidden: Iterable[SourceRange]) -> SourceFile:
    """Return the source with everything in these places starred out."""
    places = list(hidden)
    if not places:
        return source
    lines = source.text.splitlines(keepends=True)
    for where in places:
        for number in range(where.line, min(where.end_line, len(lines)) + 1):
            line = lines[number - 1]
            start = where.column - 1 if number == where.line else 0
            end = where.end_column - 1 if number == where.end_line else len(line)
            lines[number - 1] = line[:start] + _STARS.sub("*", line[start:end]) + line[end:]
    return SourceFile(source.path, "".join(lines))


def _suspects(tree: Tree) -> Iterator[SourceRange]:
    for connection in _connections(tree):
        for entry in connection.entries:
            if _is_password(entry.name) and not _is_reference(entry.value):
                yield entry.value.where


def _is_password(key: str) -> bool:
    if key in CONNECTION_KEYS:
        return key == "password"
    close = difflib.get_close_matches(key.casefold(), CONNECTION_KEYS, n=1, cutoff=0.7)
    return not close or close == ["password"]


def _is_reference(value: Tree) -> bool:
    return isinstance(value, Scalar) and is_reference(value.text)


def _connections(tree: Tree) -> Iterator[Mapping]:
    places = [tree]
    if isinstance(tree, Mapping):
        for section in (tree.get("groups"), tree.get("nodes")):
            if isinstance(section, Mapping):
                places.extend(value for _, value in section.items())
    for place in places:
        if isinstance(place, Mapping) and isinstance(connection := place.get("connection"), Mapping):
            yield connection
