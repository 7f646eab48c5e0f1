r"""What ``\w``, ``\d``, ``\s`` and ``\p{..}`` of .NET stand for: ranges of characters by Unicode category.

Strings of .NET are UTF-16, so a category holds characters of the first plane only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

Ranges = tuple[tuple[int, int], ...]

_LAST_OF_PLANE = 0xFFFF
_LAST = 0x10FFFF
#: ``\s`` is these and the category Z.
_CONTROL_SPACES = ((0x09, 0x0D), (0x85, 0x85))
_WORD = ("L", "Mn", "Nd", "Pc")
#: Joiners belong to words where their ends are looked for, though they are not ``\w``.
_JOINERS = ((0x200C, 0x200D),)


@lru_cache(maxsize=1)
def _categories() -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for code in range(_LAST_OF_PLANE + 1):
        ranges = found.setdefault(unicodedata.category(chr(code)), [])
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return found


@lru_cache(maxsize=64)
def category(name: str) -> Ranges | None:
    """Give the characters of a category (Lu) or of all that begin with a letter (L); None for an unknown one."""
    known = _categories()
    wanted = [ranges for key, ranges in known.items() if key == name or (len(name) == 1 and key[0] == name)]
    return joined(one for ranges in wanted for one in ranges) if wanted else None


def joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sort ranges and join those that touch."""
    done: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if done and low <= done[-1][1] + 1:
            done[-1] = (done[-1][0], max(done[-1][1], high))
        else:
            done.append((low, high))
    return tuple(done)


@lru_cache(maxsize=64)
def without(ranges: Ranges) -> Ranges:
    """Give all other characters."""
    left, start = [], 0
    for low, high in ranges:
        if low > start:
            left.append((start, low - 1))
        start = high + 1
    return (*left, (start, _LAST)) if start <= _LAST else tuple(left)


@lru_cache(maxsize=16)
def shorthand(letter: str) -> Ranges:
    r"""Give what stands behind ``\w``, ``\W`` and so on, or behind the words that ``\b`` looks for."""
    folded = letter.lower()
    if folded == "b":
        return joined((*shorthand("w"), *_JOINERS))
    names = {"w": _WORD, "d": ("Nd",), "s": ("Z",)}[folded]
    found = [one for name in names for one in category(name) or ()]
    whole = joined([*found, *(_CONTROL_SPACES if folded == "s" else ())])
    return without(whole) if letter.isupper() else whole


def as_class(ranges: Sequence[tuple[int, int]], *, is_negated: bool = False) -> str:
    """Write a class of characters for ``re``."""
    body = "".join(f"\\U{low:08x}" if low == high else f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
    return f"[{'^' if is_negated else ''}{body}]"
