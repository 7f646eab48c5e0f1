"""The lines of a configuration file as oslo.config reads them, with the line each value stands in.

oslo.config's own reader stops at the first line it cannot read; this one goes on, so that all faults are told.
Apart from that both read the same, which the tests hold them to.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

from provisioner.options.faults import Fault, Kind, shown

BYTE_ORDER_MARK = "\ufeff"
_STARTS_NOT = "No service that reads this file starts."


@dataclass(frozen=True, slots=True)
class Assignment:
    """``name = value`` in a section, as spelt there; ``more`` are the lines that continue it."""

    section: str
    name: str
    value: str
    line: int
    more: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class Lines:
    """A file that was read. ``sections`` maps each section's name to the line where it first begins."""

    assignments: list[Assignment] = field(default_factory=list)
    sections: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A value that may be continued by the next line."""

    name: str
    line: int
    parts: list[tuple[int, str]]


def decoded(raw: bytes) -> tuple[str | None, list[Fault]]:
    """Return the text of a file, None when nobody can tell, and what is wrong with its encoding."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        help_ = "Save it as UTF-8 without a byte order mark."
        return None, [Fault(1, Kind.ENCODING, "", "", f"The file is UTF-16. {_STARTS_NOT}", help_)]
    faults: list[Fault] = []
    for number, line in enumerate(re.split(rb"\r\n|\r|\n", raw), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            seen = f"The byte 0x{line[error.start]:02x} is not UTF-8."
            help_ = "Save the file as UTF-8, or write plain ASCII."
            faults.append(Fault(number, Kind.ENCODING, "", "", seen, help_))
    return raw.decode("utf-8", errors="replace"), faults


def read_lines(text: str) -> Lines:
    """Read the text of a configuration file."""
    found = Lines()
    if text.startswith(BYTE_ORDER_MARK):
        seen = f"The file starts with a byte order mark, which oslo.config takes for text. {_STARTS_NOT}"
        found.faults.append(Fault(1, Kind.ENCODING, "", "", seen, "Save it as UTF-8 without one."))
        text = text.removeprefix(BYTE_ORDER_MARK)
    reader = _Reader(found)
    # As a file is opened for text: each of \r\n, \r and \n ends a line, and nothing else does.
    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        reader.take(number, line.rstrip())
    reader.close()
    return found


class _Reader:
    """Takes lines in order. Rules and their order: oslo_config.iniparser."""

    def __init__(self, found: Lines) -> None:
        self._found = found
        self._section: str | None = None
        self._lost = False  # below a section line that cannot be read
        self._open: _Open | None = None

    def take(self, number: int, line: str) -> None:
        """Take a line without the blanks at its end."""
        if line.startswith((" ", "\t")):
            if self._open is None:
                seen = f"The line starts with a blank, and there is no value before it to continue. {_STARTS_NOT}"
                self._fault(number, seen, "Remove the blanks before it.")
            else:
                self._open.parts.append((number, line.lstrip()))
            return
        self.close()
        if not line or line.startswith(("#", ";")):
            return
        if line.startswith("["):
            self._begin(number, line)
        else:
            self._assign(number, line)

    def close(self) -> None:
        """End the value that is open."""
        ended, self._open = self._open, None
        if ended is None or self._section is None:
            return
        value = "\n".join(part for _, part in ended.parts)
        more = tuple(ended.parts[1:])
        self._found.assignments.append(Assignment(self._section, ended.name, value, ended.line, more))

    def _begin(self, number: int, line: str) -> None:
        self._lost = not line.endswith("]") or line == "[]"
        if self._lost:
            self._section = None
            seen = f"{shown(line)} is no section. {_STARTS_NOT}"
            self._fault(number, seen, "Write the name between '[' and ']', with nothing behind it.")
            return
        self._section = line[1:-1]
        self._found.sections.setdefault(self._section, number)

    def _assign(self, number: int, line: str) -> None:
        marks = [at for at in (line.find("="), line.find(":")) if at >= 0]
        if not marks:
            # What stands there may be a piece of a secret, so it is not shown.
            self._fault(
                number, f"There is neither '=' nor ':' in the line. {_STARTS_NOT}", "Write name = value."
            )
            return
        name, value = line[: min(marks)].strip(), line[min(marks) + 1 :].strip()
        if not name:
            self._fault(
                number, f"There is no name before the '{line[min(marks)]}'. {_STARTS_NOT}", "Write one."
            )
            return
        if value and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        self._open = _Open(name, number, [(number, value)])
        if self._section is None and not self._lost:
            seen = f"The option stands before the first section. {_STARTS_NOT}"
            self._fault(number, seen, "Write [DEFAULT], or another section, before it.", name)

    def _fault(self, number: int, message: str, help_: str, option: str = "") -> None:
        self._found.faults.append(Fault(number, Kind.SYNTAX, self._section or "", option, message, help_))
