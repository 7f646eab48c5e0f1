"""Which group is part of which, and in which order the groups of a node count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.diagnostics import Diagnostics

#: Deepest nesting of groups.
MAX_DEPTH: Final = 32
#: Most groups one node may be in, those around its own included.
MAX_GROUPS: Final = 256
#: How many circles are reported at once.
_MOST_CIRCLES: Final = 20


class Groups:
    """The groups of an inventory. Made from any tree; what is ill-formed is left out."""

    def __init__(self, section: Tree | None) -> None:
        entries = section.entries if isinstance(section, Mapping) else ()
        self.places: dict[str, Tree] = {entry.name: entry.value for entry in entries}
        self._children = {name: tuple(_children(place)) for name, place in self.places.items()}
        self._parents: dict[str, list[str]] = {name: [] for name in self.places}
        for name, children in self._children.items():
            for child in dict.fromkeys(item.text for item in children if item.text in self.places):
                self._parents[child].append(name)
        self.children = {
            name: tuple(dict.fromkeys(item.text for item in children if item.text in self.places))
            for name, children in self._children.items()
        }
        self._chains: dict[tuple[str, ...], tuple[str, ...]] = {}

    def check(self, problems: Diagnostics) -> None:
        """Report children that do not exist, and groups that contain themselves."""
        for children in self._children.values():
            seen: set[str] = set()
            for item in children:
                if item.text not in self.places:
                    detail = f"There is no group '{item.text}' under 'groups:'."
                    help_ = did_you_mean(item.text, self.places) or "Write it under 'groups:' first."
                    problems.error("Unknown group", detail, item.where, help_)
                elif item.text in seen:
                    detail = f"'{item.text}' is in this list already."
                    problems.warning("Group is listed twice", detail, item.where)
                seen.add(item.text)
        self._check_nesting(problems)

    def chain(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return these groups and all around them, the widest first: parents before children, then as listed.

        Only for groups without errors. At most one more than ``MAX_GROUPS`` are returned.
        """
        if names not in self._chains:
            found: dict[str, None] = {}
            for name in names:
                self._collect(name, found)
            self._chains[names] = tuple(found)
        return self._chains[names]

    def _collect(self, name: str, found: dict[str, None], depth: int = 0) -> None:
        if name in found or len(found) > MAX_GROUPS or depth > MAX_DEPTH:
            return
        for parent in self._parents[name]:
            self._collect(parent, found, depth + 1)
        found[name] = None

    def _check_nesting(self, problems: Diagnostics) -> None:
        """Take groups off from the outside in; what is left contains itself, or stands below such a group."""
        waiting = {name: len(parents) for name, parents in self._parents.items()}
        level = [name for name, count in waiting.items() if count == 0]
        depth = 0
        while level:
            depth += 1
            if depth == MAX_DEPTH + 1:
                detail = f"Groups stand more than {MAX_DEPTH} levels deep in each other here."
                item = next(self._items_naming(level[0]))
                problems.error("Groups are nested too deep", detail, item.where)
            below: list[str] = []
            for name in level:
                del waiting[name]
                for child in dict.fromkeys(item.text for item in self._children[name]):
                    if child in waiting:
                        waiting[child] -= 1
                        if waiting[child] == 0:
                            below.append(child)
            level = below
        self._report_circles(waiting, problems)

    def _report_circles(self, left: dict[str, int], problems: Diagnostics) -> None:
        """Walk from child to parent; whoever comes back to a group of the way has found a circle."""
        done: set[str] = set()
        reported = 0
        for start in left:
            way: dict[str, Iterator[str]] = {}
            name: str | None = start if start not in done else None
            while name is not None:
                if name not in way:
                    way[name] = iter([parent for parent in self._parents[name] if parent in left])
                parent = next(way[name], None)
                if parent is None:
                    done.add(name)
                    del way[name]
                    name = next(reversed(way), None)
                elif parent in way:
                    reported += 1
                    self._report_circle(list(way)[list(way).index(parent) :], problems)
                    if reported == _MOST_CIRCLES:
                        return
                elif parent not in done:
                    name = parent

    def _report_circle(self, upwards: list[str], problems: Diagnostics) -> None:
        circle = [upwards[0], *reversed(upwards)]
        item = next(item for item in self._children[circle[-2]] if item.text == circle[-1])
        problems.error(
            "Groups contain each other in a circle",
            f"Each of these groups is a child of the one before: {' → '.join(circle)}.",
            item.where,
            "Remove one of the 'children' entries.",
        )

    def _items_naming(self, child: str) -> Iterator[Scalar]:
        for children in self._children.values():
            yield from (item for item in children if item.text == child)


def _children(place: Tree) -> Iterator[Scalar]:
    listed = place.get("children") if isinstance(place, Mapping) else None
    if isinstance(listed, Sequence):
        for item in listed.items:
            if isinstance(item, Scalar) and isinstance(item.value, str):
                yield item
