"""What comes before what: the resources of one node as a graph, in one stable order.

An LCM works through a document from its first instance to its last, and moves a resource back only as far as
its DependsOn asks for. It goes on after a failure, but skips what depends on the failed resource, directly or
not. So dependencies do two things on a node: they order, and they decide what is still tried after a failure.
Both matter when roles build on each other: with Hyper-V not installed, no switch must be tried, and no service
on top of it.

There are two kinds of edges here.

*Declared* edges come from ``dependsOn`` in a configuration file. They name one resource of the same node, by
``[Type]Name``, without regard to case. A name that is not there is an error, even when the resource exists
under a condition that is false for this node: silently dropping the edge would change the order on some nodes
and not on others.

*Required* edges come from ``requires`` in a role: every resource of a role has to come after every resource of
the roles it requires. Written out, that would be one edge from each to each. It is enough to join the ends:

    required role          requiring role

    a ──> b ──> c          x ──> y
          d                z

Here ``b`` depends on ``a``, and so on. Nothing in the required role depends on ``c`` and ``d``: they are its
*last* resources; whoever waits for both has waited for ``a`` and ``b`` too. In the requiring role ``x`` and
``z`` depend on nothing there: they are its *first* resources, and what waits for them waits for everything they
wait for. So four edges (``x`` and ``z`` to ``c`` and ``d``) say the same as ten. Being transitive is what an
LCM's skipping is too, so failures spread as if all ten stood there.

Two cases need care. A role may declare nothing on some node, all its conditions being false: then the roles it
requires stand in for it, or the chain would break in the middle. And several roles may declare one and the same
resource, which becomes one: it then waits for what the first of them requires and for nothing else, or it could
end up behind what builds on it; who requires any of them waits for it. All these edges lead from a role to one
before it, so none of them closes a circle.

Cycles are reported with every step and the position that caused it. When there are several, each is reported:
one edge of a found cycle is dropped, and the search starts again.

The order is the smallest one: of all resources whose dependencies are placed, the one declared first comes
next. It depends on the order of the declarations alone, never on hashing.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from provisioner.diagnostics import Diagnostics, SourceRange

#: Position of a resource in the order of declaration.
Index = int


@dataclass(frozen=True, slots=True)
class Edge:
    """``source`` comes after ``target``. ``where`` is what asks for it; ``because`` says so in words."""

    source: Index
    target: Index
    where: SourceRange
    because: str


@dataclass(frozen=True, slots=True)
class RoleNode:
    """A role as the graph sees it: its resources, and the roles it requires with the position of each.

    ``own`` are those of ``members`` that no role before it declares too.
    """

    members: frozenset[Index]
    own: frozenset[Index]
    requires: Mapping[str, SourceRange]


def required_edges(
    roles: Mapping[str, RoleNode],
    declared: Sequence[Edge],
    phrase: str = "role '{0}' requires role '{1}'",
) -> tuple[Edge, ...]:
    """Return the edges that make every role come after the roles it requires.

    Args:
        roles: All roles of a node.
        declared: The edges of ``dependsOn``; they decide which resources are first and last in a role.
        phrase: What an edge says for itself, of the later and the earlier role.
    """
    targets: dict[Index, list[Index]] = {}
    for edge in declared:
        targets.setdefault(edge.source, []).append(edge.target)
    found: list[Edge] = []
    for name, role in roles.items():
        for required, where in role.requires.items():
            own = role.own
            firsts = [index for index in sorted(own) if not own.intersection(targets.get(index, ()))]
            because = phrase.format(name, required)
            found.extend(
                Edge(first, last, where, because)
                for first in firsts
                for last in _lasts(required, roles, targets)
                if last not in targets.get(first, ())
            )
    return tuple(found)


def _lasts(name: str, roles: Mapping[str, RoleNode], targets: Mapping[Index, list[Index]]) -> list[Index]:
    """Resources of a role nothing else in it depends on, and those of what it requires when it has none itself."""
    role = roles[name]
    needed = {target for index in role.members for target in targets.get(index, ()) if target != index}
    # Inside a cycle everything is needed; the cycle is reported anyway.
    found = role.members - needed or role.members
    if not role.own:
        found = found.union(*(_lasts(each, roles, targets) for each in role.requires))
    return sorted(found)


def order(count: int, edges: Iterable[Edge]) -> tuple[Index, ...] | None:
    """Return all indexes, each after everything it depends on, otherwise in order of declaration.

    None when that is impossible: ``report_cycles`` says why.
    """
    waiting: list[set[Index]] = [set() for _ in range(count)]
    dependents: list[list[Index]] = [[] for _ in range(count)]
    for edge in edges:
        if edge.target not in waiting[edge.source]:
            waiting[edge.source].add(edge.target)
            dependents[edge.target].append(edge.source)
    # Sorted already, so a heap.
    ready = [index for index in range(count) if not waiting[index]]
    placed = []
    while ready:
        index = heapq.heappop(ready)
        placed.append(index)
        for dependent in dependents[index]:
            waiting[dependent].remove(index)
            if not waiting[dependent]:
                heapq.heappush(ready, dependent)
    return tuple(placed) if len(placed) == count else None


def report_cycles(names: Sequence[str], edges: Sequence[Edge], problems: Diagnostics) -> None:
    """Report every cycle found, in full; ``names`` are the printed names by index."""
    left = list(edges)
    while True:
        try:
            _sorter(len(names), left).prepare()
        except CycleError as error:
            # graphlib lists each resource before the one that depends on it, the first again at the end.
            ring: list[Index] = list(reversed(error.args[1]))[:-1]
            start = ring.index(min(ring))
            ring = ring[start:] + ring[:start]
            steps = list(zip(ring, [*ring[1:], ring[0]], strict=True))
            by_ends = {(edge.source, edge.target): edge for edge in reversed(left)}
            taken = [by_ends[step] for step in steps]
            _report(taken, names, problems)
            left = [edge for edge in left if (edge.source, edge.target) != steps[-1]]
        else:
            return


def _report(ring: Sequence[Edge], names: Sequence[str], problems: Diagnostics) -> None:
    steps = [
        f"{names[edge.source]} depends on {names[edge.target]} ({edge.because} at {edge.where})"
        for edge in ring
    ]
    problems.error(
        "Resources depend on each other in a circle",
        f"None of these can come first: {'; '.join(steps)}.",
        ring[0].where,
        "Remove one of these dependencies.",
    )


def _sorter(count: int, edges: Iterable[Edge]) -> TopologicalSorter[Index]:
    sorter: TopologicalSorter[Index] = TopologicalSorter(dict.fromkeys(range(count), ()))
    for edge in edges:
        sorter.add(edge.source, edge.target)
    return sorter
