"""How the values of several layers become one: what an author may write, and what it means.

The rule of the room: a strategy is a value. Who gives which value is the ladder's business, not this module's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping, Scalar

if TYPE_CHECKING:
    from provisioner.diagnostics import Diagnostics
    from provisioner.documents import Tree


class Mode(Enum):
    """What happens to a value when a nearer layer gives one too; the value is the word in the file."""

    REPLACE = "replace"  #: the nearer one alone counts
    DEEP = "deep"  #: mappings are merged key by key, at every depth; lists as ``Strategy.lists`` says
    UNIQUE = "unique"  #: lists are united, the wider first, duplicates dropped
    APPEND = "append"  #: lists are put one after the other, the wider first, duplicates kept


@dataclass(frozen=True, slots=True)
class Strategy:
    """How one value is merged.

    ``lists`` counts inside ``deep`` only, for the lists met there. ``key`` names what tells the items of a list of
    mappings apart: items of two layers with the same value there are merged as mappings; empty for none.
    """

    mode: Mode
    lists: Mode = Mode.UNIQUE
    key: str = ""


REPLACE: Final = Strategy(Mode.REPLACE)
DEEP: Final = Strategy(Mode.DEEP)

_MODES: Final = {mode.value: mode for mode in Mode}
_OF_LISTS: Final[dict[str, Mode]] = {name: mode for name, mode in _MODES.items() if mode is not Mode.DEEP}
_KEYS: Final = ("strategy", "lists", "key")


def read_strategy(tree: Tree | None, problems: Diagnostics) -> Strategy | None:
    """Read ``deep`` or ``{strategy: deep, lists: append, key: name}``; None when it is absent or ill-formed."""
    match tree:
        case None:
            return None
        case Scalar():
            mode = _mode(tree, _MODES, problems)
            return Strategy(mode) if mode else None
        case Mapping():
            return _detailed(tree, problems)
        case _:
            detail = f"A merge strategy is a word, or a mapping of {', '.join(_KEYS)}."
            problems.error("Merge strategy has a wrong form", detail, tree.where)
            return None


def _detailed(mapping: Mapping, problems: Diagnostics) -> Strategy | None:
    for entry in mapping.entries:
        if entry.name not in _KEYS:
            detail = f"A merge strategy has no key '{entry.name}'."
            problems.error("Unknown key", detail, entry.key.where, did_you_mean(entry.name, _KEYS))
    written = mapping.get("strategy")
    if written is None:
        detail = f"'strategy' is needed, one of {', '.join(_MODES)}."
        problems.error("Key is missing", detail, mapping.where)
        return None
    mode = _mode(written, _MODES, problems)
    inside = mapping.get("lists")
    lists = _mode(inside, _OF_LISTS, problems)
    key = mapping.get("key")
    if key is not None and not (isinstance(key, Scalar) and isinstance(key.value, str) and key.value):
        detail = "'key' is the name of a key that tells the items of a list apart."
        problems.error("Merge strategy has a wrong form", detail, key.where)
    if mode is None:
        return None
    if inside and mode is not Mode.DEEP:
        detail = f"Only 'deep' meets lists inside; with '{mode.value}' this changes nothing."
        problems.error("Merge strategy has a wrong form", detail, inside.where)
    return Strategy(mode, lists or Mode.UNIQUE, key.text if isinstance(key, Scalar) else "")


def _mode(tree: Tree | None, known: dict[str, Mode], problems: Diagnostics) -> Mode | None:
    if tree is None:
        return None
    if isinstance(tree, Scalar) and tree.text in known:
        return known[tree.text]
    seen = tree.text if isinstance(tree, Scalar) else ""
    detail = f"Values are merged by one of: {', '.join(known)}."
    problems.error("Unknown merge strategy", detail, tree.where, did_you_mean(seen, known) if seen else "")
    return None
