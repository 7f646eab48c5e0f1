"""Names of hosts as Ansible takes them: ranges such as ``web[01:50:2].example`` and ports behind a colon.

Where it differs from Ansible: the number of names one file may yield is bounded.
"""

from __future__ import annotations

import re
import string
from typing import Final

#: Most hosts one inventory may have.
MAX_HOSTS: Final = 100_000

_RANGE: Final = re.compile(r"\[([^\[\]]*)\]")
_PORT: Final = re.compile(r"(?P<host>.*[^:]):(?P<port>\d{1,5})")
#: An IPv6 address, told from a range by its '::' or its eight parts.
_BRACKETED: Final = re.compile(
    r"\[(?P<host>(?=[^\]]*::|(?:[^\]:]*:){7})[0-9A-Fa-f:.]+(?:%[\w.-]+)?)\](?::(?P<port>\d{1,5}))?"
)
_LETTERS: Final = string.ascii_letters
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


class WrongName(ValueError):
    """The text names no hosts; the message is a full sentence."""


def hosts_of(written: str, room: int = MAX_HOSTS) -> tuple[list[str], int | None]:
    """Return the host names a text stands for, and the port behind them.

    Args:
        written: One name or range, with or without a port.
        room: Most names there may be.

    Raises:
        WrongName: The range is malformed or too large.
    """
    bracketed = _BRACKETED.fullmatch(written)
    if bracketed:
        return [bracketed["host"]], _port(bracketed["port"])
    # A colon inside a range, or one of several as in an IPv6 address, is no port.
    outside = _RANGE.sub("", written)
    ported = _PORT.fullmatch(written)
    port = None
    if ported and outside.count(":") == 1:
        written, port = ported["host"], _port(ported["port"])
    elif outside.endswith(":"):
        raise WrongName(f"'{written}' ends in ':', and a port has to follow it.")
    return _expanded(written, room), port


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    port = int(text)
    if not 1 <= port <= 65535:  # noqa: PLR2004 - the range of ports
        raise WrongName(f"{port} is no port: ports go from 1 to 65535.")
    return port


def _expanded(written: str, room: int) -> list[str]:
    parts = _RANGE.split(written)
    if "[" in "".join(parts[::2]) or "]" in "".join(parts[::2]):
        raise WrongName(f"'{written}' has a bracket without its counterpart.")
    names = [parts[0]]
    for bounds, tail in zip(parts[1::2], parts[2::2], strict=True):
        steps = _range(bounds)
        if len(names) * len(steps) > room:
            raise WrongName(f"'{written}' would make the inventory larger than {MAX_HOSTS} hosts.")
        texts = [steps.text(index) for index in range(len(steps))]
        names = [name + text + tail for name in names for text in texts]
    return names


class _Steps:
    """The members of a range, counted before they are made."""

    def __init__(self, members: range, width: int, *, of_letters: bool) -> None:
        self._members = members
        self._width = width
        self._of_letters = of_letters

    def __len__(self) -> int:
        return len(self._members)

    def text(self, index: int) -> str:
        member = self._members[index]
        return _LETTERS[member] if self._of_letters else str(member).zfill(self._width)


def _range(bounds: str) -> _Steps:
    pieces = bounds.split(":")
    if len(pieces) not in {2, 3}:
        raise WrongName(f"'[{bounds}]' is no range: it has the form [first:last] or [first:last:step].")
    first, last, step_text = pieces[0] or "0", pieces[1], pieces[2] if pieces[2:] else "1"
    if not last:
        raise WrongName(f"The range '[{bounds}]' has no end.")
    if not _NUMBER.fullmatch(step_text) or int(step_text) == 0:
        raise WrongName(f"The step of the range '[{bounds}]' is no whole number above 0.")
    step = int(step_text)
    if len(first) == 1 and len(last) == 1 and first in _LETTERS and last in _LETTERS:
        low, high = _LETTERS.index(first), _LETTERS.index(last)
        if low > high:
            raise WrongName(f"The range '[{bounds}]' starts behind its end.")
        return _Steps(range(low, high + 1, step), 0, of_letters=True)
    if not _NUMBER.fullmatch(first) or not _NUMBER.fullmatch(last):
        raise WrongName(f"The ends of the range '[{bounds}]' are neither two numbers nor two letters.")
    width = len(first) if len(first) > 1 and first.startswith("0") else 0
    if width and width != len(last):
        raise WrongName(
            f"The ends of the range '[{bounds}]' have different lengths, and the first has leading zeros."
        )
    if int(first) > int(last):
        raise WrongName(f"The range '[{bounds}]' starts behind its end.")
    return _Steps(range(int(first), int(last) + 1, step), width, of_letters=False)
