"""A bounded memory of what was made of an object, by the object itself and not by its content.

The rule of the room: an entry keeps its object alive, or another one could get its identity.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Generic, TypeVar

_Made = TypeVar("_Made")


class Recent(Generic[_Made]):
    """The latest things made, up to a number of them. Zero remembers nothing."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: dict[tuple[int, Hashable], tuple[Any, _Made]] = {}

    def get(self, source: object, detail: Hashable) -> _Made | None:
        """Return what was made of an object in a certain way; None when it is not remembered."""
        key = id(source), detail
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        self._entries[key] = entry  # the latest use counts
        return entry[1]

    def put(self, source: object, detail: Hashable, made: _Made) -> None:
        """Remember what was made; the one not asked for the longest goes."""
        if self._most <= 0:
            return
        if len(self._entries) >= self._most:
            del self._entries[next(iter(self._entries))]
        self._entries[id(source), detail] = source, made
