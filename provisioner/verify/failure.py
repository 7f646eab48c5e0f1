"""Turn what ended a check into one short line that names the thing and the property.

pytest explains ``assert host.service("vmms").is_running`` in several lines; the line that matters says
``where False = <service vmms on hv01>.is_running``. Pure text work; node names are left out, since the
event that carries the line has one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provisioner.errors import NodeError, TransportError

if TYPE_CHECKING:
    from types import TracebackType

#: Longer messages are cut: what stands in a file on a node does not belong into a terminal line.
MESSAGE_LIMIT = 400

_WHERE = r"(?:where|and)\s+(?P<value>.+?) = "
_THING = r"<(?P<thing>.+) on (?P<node>\S+)>"
_PROPERTY = re.compile(rf"{_WHERE}{_THING}\.(?P<property>\w+)$")
_CALL = re.compile(rf"{_WHERE}(?P<call>(?P<method>\w+)\(.*\))$")
_METHOD = re.compile(rf"(?:where|and)\s+(?P<method>\w+) = {_THING}\.(?P=method)$")
_PLAIN = re.compile(r"assert (not )?(True|False)$")


def describe(error: BaseException, check_file: Path) -> str:
    """Return one line about what ended a check.

    Assertions name thing, property and value; errors of a node say their own sentence; anything else gets
    its type and the line of ``check_file`` it came from.
    """
    match error:
        case pytest.fail.Exception():
            text = str(error)
        case AssertionError():
            text = describe_assertion(str(error)) or _with_place(
                "the assertion does not hold", error, check_file
            )
        case NodeError() | TransportError():
            text = error.reason
        case pytest.FixtureLookupError():
            text = f"there is no fixture named '{error.argname}'; checks have 'host' and 'variables'"
        case SyntaxError():
            text = f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
        case _:
            text = _with_place(f"{type(error).__name__}: {error}", error, check_file)
    return shorten(text)


def describe_assertion(text: str) -> str:
    """Shorten pytest's explanation: ``service vmms is_running: False``.

    A comparison follows in brackets, a message of the author comes first. Text without an explanation comes
    back as one line.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith("+")]
    seen = list(dict.fromkeys(_properties([line.removeprefix("+").strip() for line in lines])))
    at = next((place for place, line in enumerate(said) if line.startswith("assert ")), len(said))
    asserted = said[at] if at < len(said) else ""
    author = " ".join(said[:at])
    parts = [author] if author else []
    if seen:
        parts.append(", ".join(seen) + (f" ({asserted})" if asserted and not _PLAIN.match(asserted) else ""))
    elif asserted and not author:
        parts.append(asserted)
    return "; ".join(parts)


def shorten(text: str) -> str:
    """Return ``text`` as one line of at most ``MESSAGE_LIMIT`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 3] + "..."


def _properties(lines: list[str]) -> list[str]:
    found = []
    for place, line in enumerate(lines):
        if seen := _PROPERTY.match(line):
            if "bound method" not in seen["value"] and seen["value"] != seen["property"]:
                found.append(f"{seen['thing']} {seen['property']}: {seen['value']}")
        elif call := _CALL.match(line):
            owner = _METHOD.match(lines[place + 1]) if place + 1 < len(lines) else None
            if owner and owner["method"] == call["method"]:
                found.append(f"{owner['thing']} {call['call']}: {call['value']}")
    return found


def _with_place(text: str, error: BaseException, check_file: Path) -> str:
    line = line_in(error.__traceback__, check_file)
    return f"{text} ({check_file}:{line})" if line else text


def line_in(traceback: TracebackType | None, check_file: Path) -> int:
    """Return the innermost line of ``check_file`` in a traceback; 0 when it is not in it."""
    line = 0
    while traceback:
        if Path(traceback.tb_frame.f_code.co_filename) == check_file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
