"""Which nodes come after which, by inventory and by roles together, and the circles there must not be.

The rule of the room: a thousand nodes may wait for a thousand others, so a group stands for its nodes until the
very end, and what nodes share is made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from provisioner.addresses import NodeName
from provisioner.roles.model import After

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.inventory.model import AfterUse, Inventory, Node

#: How many circles are reported at once.
_MOST_CIRCLES: Final = 20

#: A node by its name, or all nodes of a group by its name behind ``@``; no node has such a name.
Place = str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A node or a group somebody waits for. ``reason`` is part of a sentence, ``where`` asks for it."""

    name: str
    reason: str
    where: SourceRange
    is_group: bool = False

    @property
    def place(self) -> Place:
        """What is waited for."""
        return f"@{self.name}" if self.is_group else self.name


def by_inventory(use: AfterUse, inventory: Inventory) -> Waiting:
    """Return what the inventory says."""
    reason = f"{use.said_by} comes after {use.name}"
    return Waiting(use.name, reason, use.where, is_group=use.name in inventory.groups)


class Order:
    """Who waits for whom in one inventory; without circles."""

    def __init__(
        self,
        waiting: Mapping[NodeName, Sequence[Waiting]],
        groups: Mapping[str, Sequence[NodeName]],
        places: Sequence[Place],
    ) -> None:
        """``places`` is everything in an order in which what is waited for precedes who waits."""
        self._waiting = waiting
        self._groups = groups
        self._places = places

    @classmethod
    def of(
        cls, inventory: Inventory, waiting: Mapping[NodeName, Sequence[Waiting]], problems: Diagnostics
    ) -> Order:
        """Bring nodes into an order; circles are reported, and then nobody waits."""
        circles = _Circles(problems)
        found = {
            name: _of_others(inventory.nodes[name], waits, inventory, circles)
            for name, waits in waiting.items()
        }
        places = _sorted(inventory, found, circles)
        return cls(found if places else {}, inventory.groups, places)

    def among(self, present: Collection[NodeName]) -> dict[NodeName, tuple[After, ...]]:
        """Return whom each of these nodes waits for, of these nodes; nodes that wait for nobody are left out.

        What waits for a node that is not among them waits for those that one would have waited for.
        """
        counting = self._counting(frozenset(present))
        made: dict[tuple[tuple[Place, str], ...], tuple[After, ...]] = {}
        found = {}
        for name in present:
            key = tuple((each.place, each.reason) for each in self._waiting.get(name, ()))
            if key not in made:
                first: dict[NodeName, After] = {}
                for place, reason in key:
                    for other in counting.get(place, ()):
                        first.setdefault(other, After(other, reason))
                made[key] = tuple(first.values())
            if made[key]:
                found[name] = made[key]
        return found

    def _counting(self, present: frozenset[NodeName]) -> dict[Place, tuple[NodeName, ...]]:
        """Return, for each place somebody waits for, the present nodes that count there."""
        found: dict[Place, tuple[NodeName, ...]] = {}
        for place in self._places:
            if place in present:
                found[place] = (NodeName(place),)
            elif place.startswith("@"):
                found[place] = _united(found.get(name, ()) for name in self._groups[place[1:]])
            else:
                waits = self._waiting.get(NodeName(place), ())
                found[place] = _united(found.get(each.place, ()) for each in waits)
        return found


def _united(parts: Iterable[tuple[NodeName, ...]]) -> tuple[NodeName, ...]:
    filled = [part for part in parts if part]
    # One part is what is nearly always left; then a thousand nodes share it.
    return filled[0] if len(filled) == 1 else tuple(dict.fromkeys(name for part in filled for name in part))


def _of_others(
    node: Node, waits: Iterable[Waiting], inventory: Inventory, circles: _Circles
) -> tuple[Waiting, ...]:
    """Return whom a node waits for; of a group it is in itself, the others."""
    found: list[Waiting] = []
    for each in waits:
        if not each.is_group or each.name not in node.groups:
            found += [each] if each.name != node.name or each.is_group else []
        elif circles.is_first_inside(node.name, each):
            found += [
                Waiting(str(other), each.reason, each.where)
                for other in inventory.groups[each.name]
                if other != node.name
            ]
    return tuple(found)


def _sorted(
    inventory: Inventory, waiting: Mapping[NodeName, Sequence[Waiting]], circles: _Circles
) -> tuple[Place, ...]:
    """Return all places that matter, what is waited for first; nothing when there are circles."""
    edges: dict[Place, dict[Place, Waiting | None]] = {}
    for name, waits in waiting.items():
        below = edges.setdefault(str(name), {})
        for each in waits:
            below.setdefault(each.place, each)
            if each.is_group and each.place not in edges:
                edges[each.place] = dict.fromkeys(map(str, inventory.groups[each.name]))
    while not circles.are_enough:
        try:
            places = tuple(TopologicalSorter(edges).static_order())
        except CycleError as error:
            # graphlib lists each place before the one that waits for it, the first again at the end.
            ring = list(reversed(error.args[1]))[:-1]
            steps = circles.report(ring, edges)
            del edges[steps[0]][steps[1]]
        else:
            return () if circles.found else places
    return ()


class _Circles:
    """Circles that were found, told with every step."""

    def __init__(self, problems: Diagnostics) -> None:
        self.found = 0
        self._problems = problems
        self._inside: dict[str, tuple[NodeName, Waiting]] = {}
        self._told: set[str] = set()

    @property
    def are_enough(self) -> bool:
        """Whether nobody would read more of them."""
        return self.found >= _MOST_CIRCLES

    def is_first_inside(self, node: NodeName, waiting: Waiting) -> bool:
        """Take a node that waits for a group it is in. Two of them wait for each other: told once for a group."""
        first = self._inside.setdefault(waiting.name, (node, waiting))
        if first[0] == node:
            return True
        if waiting.name not in self._told:
            self._told.add(waiting.name)
            steps = [(node, first[0], waiting), (first[0], node, first[1])]
            self._tell([(str(one), f"'{other}'", why) for one, other, why in steps])
        return False

    def report(
        self, ring: list[Place], edges: Mapping[Place, Mapping[Place, Waiting | None]]
    ) -> tuple[Place, Place]:
        """Tell a circle, each place waiting for the next; return a step without which there is none."""
        nodes = [place for place in ring if not place.startswith("@")]
        start = ring.index(min(nodes))
        ring = ring[start:] + ring[:start]
        steps = list(zip(ring, [*ring[1:], ring[0]], strict=True))
        told = []
        for index, (place, target) in enumerate(steps):
            waiting = edges[place][target]
            if waiting is None:
                continue  # a group and a node in it: told with the step before
            member = steps[index][1] if not waiting.is_group else steps[(index + 1) % len(steps)][1]
            of_group = f" of group '{waiting.name}'" if waiting.is_group else ""
            told.append((place, f"'{member}'{of_group}", waiting))
        self._tell(told)
        return steps[0]

    def _tell(self, steps: list[tuple[Place, str, Waiting]]) -> None:
        self.found += 1
        words = "; ".join(
            f"'{place}' waits for {target} ({why.reason}, at {why.where})" for place, target, why in steps
        )
        self._problems.error(
            "Nodes wait for each other in a circle",
            f"None of these can be done first: {words}.",
            steps[0][2].where,
            "Take one of these steps away.",
        )
