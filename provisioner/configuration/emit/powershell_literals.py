"""Spell values as PowerShell literals that mean exactly the same, in any code page and after any editor.

Only what Windows PowerShell 5.1 knows: no backtick-e and no backtick-u escapes. Sources: its own quoting functions
and parser, run over the strings of the PowerShell goldens.
"""

from __future__ import annotations

import re

from provisioner.configuration.emit import layout

#: PowerShell takes the typographic quotes for quotes; each ends a string unless doubled.
_SINGLE_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
#: A carriage return would be lost in an editor or in git, control characters are not shown, half a surrogate pair
#: has no bytes in a file.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
#: What must be escaped between double quotes, which have typographic forms too. The number sign need not, but
#: highlighters take it for a comment behind an expression.
_SPECIAL = re.compile('[`$#"\u201c\u201d\u201e\n\t]|' + _UNPRINTABLE.pattern)
#: Words a statement begins with. PowerShell takes them as they are for names of properties; its highlighters and
#: parsers in editors do not, and two of them not even at the start of a longer name.
_STATEMENT = re.compile(
    "(?:begin|break|continue|data|do|dynamicparam|end|filter|for|foreach|function|if|inlinescript|parallel|param|process"
    "|sequence|switch|trap|try|while|workflow)|(?:class|enum).*",
    re.IGNORECASE,
)
_NAMED = {
    "\0": "`0",
    "\a": "`a",
    "\b": "`b",
    "\f": "`f",
    "\n": "`n",
    "\r": "`r",
    "\t": "`t",
    "\v": "`v",
}


def text(value: str) -> str:
    """Spell a string: between single quotes wherever that is exact, so that nothing in it is ever evaluated."""
    if not _UNPRINTABLE.search(value):
        return f"'{_SINGLE_QUOTES.sub(lambda found: found[0] * 2, value)}'"
    return f'"{_SPECIAL.sub(_escape, value)}"'


def name(value: str) -> str:
    """Spell the name of a property."""
    return text(value) if _STATEMENT.fullmatch(value) else value


def number(value: float) -> str:
    """Spell an integer or a real; a real always has a point, as in MOF."""
    return layout.value(value)


def boolean(*, value: bool) -> str:
    """Spell a boolean."""
    return "$true" if value else "$false"


def character(value: str) -> str:
    """Spell a value of type char16."""
    return f"[char]{text(value)}"


def date(value: str) -> str:
    """Spell a MOF date, ``yyyyMMddHHmmss.ffffff+UUU``, as the same moment."""
    offset = int(value[21:])
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    day = f"{value[:4]}-{value[4:6]}-{value[6:8]}"
    time = f"{value[8:10]}:{value[10:12]}:{value[12:21]}"
    return f"[datetime]'{day}T{time}{sign}{hours:02}:{minutes:02}'"


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if character in _NAMED:
        return _NAMED[character]
    if _UNPRINTABLE.fullmatch(character):
        return f"$([char]0x{ord(character):04X})"
    return f"`{character}"
