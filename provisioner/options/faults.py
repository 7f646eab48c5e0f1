"""What is wrong with a service's configuration file, one value for each thing that is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from provisioner.diagnostics import Severity

#: Longest piece of a value that is shown.
_LONGEST = 80
#: A longer value is not looked through for credentials, so nothing of it is shown.
_LONGEST_LOOKED_AT = 4096
#: Of a password, any letter may be part: '/' and '@' too.
_CREDENTIALS = re.compile(r"(?<=://)\S*@|[^\s:/@]+:(?!//)\S+@")


class Kind(Enum):
    """What sort of fault it is; the value is what ``--json`` says."""

    ENCODING = "encoding"
    SYNTAX = "syntax"
    UNKNOWN_SECTION = "unknown-section"
    UNKNOWN_OPTION = "unknown-option"
    WRONG_SECTION = "wrong-section"
    VALUE = "value"
    AUTH_TYPE = "auth-type"
    REFERENCE = "reference"
    SWALLOWED = "swallowed"
    MISSING_SECTION = "missing-section"
    DEPRECATED = "deprecated"
    DUPLICATE = "duplicate"
    CLEAR_SECRET = "clear-secret"  # noqa: S105 - a word


#: What a service lives with; everything else is an error.
_WARNINGS = frozenset({Kind.DEPRECATED, Kind.DUPLICATE, Kind.CLEAR_SECRET})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. ``line`` counts from 1; ``section`` and ``option`` may be empty. Nothing in it is a secret."""

    line: int
    kind: Kind
    section: str
    option: str
    message: str
    help: str = ""
    only_a_warning: bool = False

    @property
    def severity(self) -> Severity:
        """Whether the file has to be changed."""
        is_warning = self.only_a_warning or self.kind in _WARNINGS
        return Severity.WARNING if is_warning else Severity.ERROR

    def rendered(self, path: str) -> str:
        """Return the one line that is printed."""
        place = " ".join(filter(None, [f"[{self.section}]" if self.section else "", self.option]))
        words = " ".join(filter(None, [self.message, self.help]))
        return printable(
            f"{path}:{self.line}: {self.severity.value}: {place}: {words}"
            if place
            else f"{path}:{self.line}: {self.severity.value}: {words}"
        )


def shown(value: str) -> str:
    """Return a value in quotes for a message, short, in one line and without credentials of a URL."""
    if len(value) > _LONGEST_LOOKED_AT:
        return f"a value of {len(value)} characters"
    text = _CREDENTIALS.sub("***@", value)
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return f"'{printable(text)}'"


def printable(text: str) -> str:
    """Return text whose control and invisible characters are written as escapes."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )
