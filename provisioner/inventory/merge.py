"""The values of several layers as one.

The rule of the room: this works on trees and makes new ones of the same scalars, so every part of the result
still knows the line it was written in. Nothing here decides which layers there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provisioner.documents import Entry, Mapping, Scalar, Sequence, Tree, plain
from provisioner.inventory.strategies import REPLACE, Mode, Strategy

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.rules import Rules

#: Before an item of a list or a key: take it away from what wider layers gave.
KNOCK_OUT: Final = "--"

#: As many names are kept for a suggestion.
_MOST_NAMES: Final = 100
_LISTS: Final = frozenset({Mode.UNIQUE, Mode.APPEND})


@dataclass(slots=True)
class Findings:
    """What a merge noticed: knock-outs by what they hit, and values that could not be merged.

    ``idle`` holds what was to be taken away, and what was there instead.
    """

    effective: set[SourceRange] = field(default_factory=set)
    idle: dict[SourceRange, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    misfits: dict[SourceRange, str] = field(default_factory=dict)

    def knock_out(self, where: SourceRange, what: str, present: Collection[str]) -> None:
        """Note that ``what`` was to be taken away from what is present."""
        if what in present:
            self.effective.add(where)
        elif where not in self.idle:
            self.idle[where] = what, tuple(sorted(filter(None, present)))[:_MOST_NAMES]


def merge(layers: Iterable[Tree], rules: Rules, strategy: Strategy, findings: Findings | None = None) -> Tree:
    """Merge the values a variable has in several layers.

    Args:
        layers: At least one value, the widest first. A null takes away everything wider.
        rules: Those for the path of the variable.
        strategy: What counts where no rule says otherwise.
        findings: Where to note what was noticed.
    """
    joining = _Joining(findings or Findings())
    whole: Tree | None = None
    for layer in layers:
        wider = None if is_null(whole) else whole
        whole = layer if is_null(layer) else joining.join(wider, layer, rules, strategy)
    assert whole is not None
    return whole


def is_null(tree: Tree | None) -> bool:
    """Whether a value is there and says nothing."""
    return isinstance(tree, Scalar) and tree.value is None


@dataclass(frozen=True, slots=True)
class _Joining:
    findings: Findings

    def join(self, wide: Tree | None, near: Tree, rules: Rules, inherited: Strategy) -> Tree:
        """Return what two layers make; ``wide`` is None where only the nearer one says anything."""
        strategy = rules.strategy or inherited
        mode = strategy.mode
        if mode is Mode.REPLACE and not rules.go_deeper:
            return near
        if wide is not None and type(wide) is not type(near) and not is_null(wide) and not is_null(near):
            self.findings.misfits.setdefault(
                near.where, f"{_kind(wide)} in a wider layer, {_kind(near)} here"
            )
        if mode in _LISTS and not isinstance(near, Sequence) and not is_null(near):
            self.findings.misfits.setdefault(
                near.where, f"{_kind(near)} here, and '{mode.value}' takes lists"
            )
        if isinstance(near, Mapping) and (mode is Mode.DEEP or rules.go_deeper):
            # On the way to a rule further down, keys are united and everything else stays as it was written.
            inner = strategy if mode is Mode.DEEP else REPLACE
            return self._mappings(wide if isinstance(wide, Mapping) else None, near, rules, inner)
        if isinstance(near, Sequence) and mode is not Mode.REPLACE:
            lists = strategy.lists if mode is Mode.DEEP else mode
            return self._lists(wide if isinstance(wide, Sequence) else None, near, rules, strategy, lists)
        return near

    def _mappings(self, wide: Mapping | None, near: Mapping, rules: Rules, strategy: Strategy) -> Mapping:
        united = {entry.name: entry for entry in wide.entries} if wide else {}
        takes_away = strategy.mode is Mode.DEEP
        if takes_away:
            for entry in near.entries:
                if name := _knocked(entry.key):
                    self.findings.knock_out(entry.key.where, name, united)
                    united.pop(name, None)
        for entry in near.entries:
            if takes_away and _knocked(entry.key):
                continue
            before = united.get(entry.name)
            value = self.join(before.value if before else None, entry.value, rules.at(entry.name), strategy)
            united[entry.name] = Entry(entry.key, value)
        return Mapping(tuple(united.values()), near.where)

    def _lists(
        self, wide: Sequence | None, near: Sequence, rules: Rules, strategy: Strategy, mode: Mode
    ) -> Sequence:
        if mode not in _LISTS:
            return near
        items = list(wide.items) if wide else []
        taken = {id(item): name for item in near.items if (name := _knocked(item))}
        own = [item for item in near.items if id(item) not in taken]
        if taken:
            present = {_name_of(item, strategy.key) for item in items}
            names = set(taken.values())
            items = [item for item in items if _name_of(item, strategy.key) not in names]
            for item in near.items:
                name = taken.get(id(item), "")
                if name:
                    self.findings.knock_out(item.where, name, present)
        if strategy.key:
            own = self._keyed(items, own, rules, strategy)
        items += own
        return Sequence(tuple(_distinct(items) if mode is Mode.UNIQUE else items), near.where)

    def _keyed(self, items: list[Tree], own: list[Tree], rules: Rules, strategy: Strategy) -> list[Tree]:
        """Merge items that have the same key into ``items``; return those that are new."""
        places = {name: index for index, item in enumerate(items) if (name := _key_of(item, strategy.key))}
        deep = Strategy(Mode.DEEP, strategy.lists, strategy.key)
        new: list[Tree] = []
        for item in own:
            name = _key_of(item, strategy.key)
            if name in places:
                items[places[name]] = self.join(items[places[name]], item, rules.at(name), deep)
            else:
                new.append(item)
        return new


def _knocked(tree: Tree) -> str:
    """Return what an item or a key takes away; empty when it takes nothing away."""
    is_text = isinstance(tree, Scalar) and isinstance(tree.value, str) and tree.text.startswith(KNOCK_OUT)
    return tree.text[len(KNOCK_OUT) :] if is_text else ""  # type: ignore[union-attr]


def _name_of(item: Tree, key: str) -> str:
    """Return what a knock-out calls an item by: its text, or that under its key."""
    return item.text if isinstance(item, Scalar) else _key_of(item, key)


def _key_of(item: Tree, key: str) -> str:
    value = item.get(key) if isinstance(item, Mapping) else None
    return value.text if isinstance(value, Scalar) else ""


def _distinct(items: list[Tree]) -> list[Tree]:
    first: dict[Any, Tree] = {}
    for item in items:
        first.setdefault(_frozen(plain(item)), item)
    return list(first.values())


def _frozen(value: Any) -> Any:
    """Return a value that can be looked up; 1, 1.0 and true stay different."""
    match value:
        case dict():
            return frozenset((name, _frozen(item)) for name, item in value.items())
        case list():
            return tuple(_frozen(item) for item in value)
        case _:
            return type(value), value


def _kind(tree: Tree) -> str:
    match tree:
        case Mapping():
            return "a mapping"
        case Sequence():
            return "a list"
        case _:
            return "a single value"
