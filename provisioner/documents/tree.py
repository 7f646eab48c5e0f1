"""The tree a YAML text becomes: every key and value with its place in the file.

The rule of the room: values only. Reading and writing stand beside, and what a document means is for others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.diagnostics import SourceRange

if TYPE_CHECKING:
    from collections.abc import Iterator

Plain = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. ``text`` is as YAML reads it, before it becomes a number; plain means without quotes."""

    value: Plain
    text: str
    where: SourceRange
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list, in file order."""

    items: tuple[Tree, ...]
    where: SourceRange


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value. ``key.where`` is the position of the key alone."""

    key: Scalar
    value: Tree

    @property
    def name(self) -> str:
        """The key as text."""
        return self.key.text


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values in file order. Keys are text and unique."""

    entries: tuple[Entry, ...]
    where: SourceRange
    _values: dict[str, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_values", {entry.key.text: entry for entry in self.entries})

    def get(self, name: str) -> Tree | None:
        """Return the value under a key, None when the key is absent (an empty value is a null scalar)."""
        entry = self._values.get(name)
        return entry.value if entry else None

    def entry(self, name: str) -> Entry | None:
        """Return key and value, for the position of the key."""
        return self._values.get(name)

    def items(self) -> Iterator[tuple[str, Tree]]:
        """Yield names and values in file order."""
        return ((entry.name, entry.value) for entry in self.entries)


Tree = Scalar | Sequence | Mapping


def plain(tree: Tree) -> Any:
    """Return the values alone: None, bool, int, float, str, list and dict. Aliases become copies."""
    match tree:
        case Scalar():
            return tree.value
        case Sequence():
            return [plain(item) for item in tree.items]
        case Mapping():
            return {name: plain(value) for name, value in tree.items()}


def scalars(tree: Tree) -> Iterator[Scalar]:
    """Yield every value of a tree that holds no others, in file order; keys are none."""
    match tree:
        case Scalar():
            yield tree
        case Sequence():
            for item in tree.items:
                yield from scalars(item)
        case Mapping():
            for entry in tree.entries:
                yield from scalars(entry.value)


def step_into(tree: Tree, path: tuple[str | int, ...]) -> Tree | None:
    """Return the value under a path of keys and indexes; None when there is none."""
    found: Tree | None = tree
    for step in path:
        match found:
            case Mapping():
                found = found.get(str(step))
            case Sequence() if isinstance(step, int) and 0 <= step < len(found.items):
                found = found.items[step]
            case _:
                return None
    return found


def locate(tree: Tree, path: tuple[str | int, ...]) -> SourceRange:
    """Return the position of the value under a path of keys and indexes.

    Where the path leads to nothing, it is the position of the nearest ancestor that exists; for a value
    that is empty in the file (``key:``) it is the position of its key.
    """
    where = tree.where
    for step in path:
        child: Tree | None = None
        key: SourceRange | None = None
        match tree:
            case Mapping():
                entry = tree.entry(str(step))
                if entry:
                    child, key = entry.value, entry.key.where
            case Sequence():
                if isinstance(step, int) and 0 <= step < len(tree.items):
                    child = tree.items[step]
            case Scalar():
                pass
        if child is None:
            return where
        tree = child
        is_empty = isinstance(child, Scalar) and child.is_plain and not child.text
        where = key if key and is_empty else child.where
    return where
