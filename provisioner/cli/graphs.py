"""The groups and nodes of an inventory as a picture: a tree of text, Graphviz or Mermaid."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from provisioner.addresses import NodeName
from provisioner.inventory.model import Inventory, LayerKind


@dataclass(frozen=True, slots=True)
class Graph:
    """What is drawn: groups with those in them, and the nodes each holds itself.

    A node stands in the innermost of its groups, so one that lists a group and its parent is drawn once.
    ``after`` are the groups and nodes that come first, for each that waits, as they are drawn (``@group``).
    """

    site: str
    children: dict[str, tuple[str, ...]]
    members: dict[str, tuple[NodeName, ...]]
    loose: tuple[NodeName, ...]
    after: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, inventory: Inventory, selected: Sequence[NodeName]) -> Graph:
        """Take the selected nodes, and the groups that hold any of them; all groups when all are selected."""
        members: dict[str, list[NodeName]] = {group: [] for group in inventory.groups}
        held: set[str] = set()
        for name in selected:
            around = inventory.nodes[name].groups
            held.update(around)
            for group in around:
                if not any(child in around for child in inventory.children.get(group, ())):
                    members[group].append(name)
        is_whole = len(selected) == len(inventory.nodes)
        groups = {group: None for group in inventory.groups if is_whole or group in held}
        children = {
            group: tuple(child for child in inventory.children.get(group, ()) if child in groups)
            for group in groups
        }
        loose = tuple(name for name in selected if not inventory.nodes[name].groups)
        of_groups = {group: tuple(members[group]) for group in groups}
        return cls(inventory.site, children, of_groups, loose, _after(inventory, selected, groups))

    @property
    def outermost(self) -> tuple[str, ...]:
        """The groups that are in no other."""
        inner = {child for children in self.children.values() for child in children}
        return tuple(group for group in self.children if group not in inner)


def _after(
    inventory: Inventory, selected: Sequence[NodeName], groups: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Return what the inventory has done first, by who says so; of what is drawn only."""
    found: dict[str, dict[str, None]] = {}
    drawn = {*selected, *(f"@{group}" for group in groups)}
    for name in selected:
        for use in inventory.nodes[name].after:
            kind, _, who = use.said_by.partition(" ")
            first = f"@{use.name}" if use.name in inventory.groups else use.name
            waiting = f"@{who}" if kind == LayerKind.GROUP.value else who
            if first in drawn and waiting in drawn:
                found.setdefault(waiting, {})[first] = None
    return {waiting: tuple(first) for waiting, first in found.items()}


def as_tree(graph: Graph) -> Iterator[str]:
    """Yield lines of a tree; what is in several groups is written out once."""
    shown: set[str] = set()

    def below(names: Sequence[tuple[str, bool]], lead: str) -> Iterator[str]:
        for index, (name, is_group) in enumerate(names):
            is_last = index == len(names) - 1
            again = is_group and name in shown and bool(graph.children[name] or graph.members[name])
            label = f"@{name}" if is_group else name
            first = f" (after {', '.join(graph.after[label])})" if label in graph.after and not again else ""
            yield f"{lead}{'└── ' if is_last else '├── '}{label}{' (see above)' if again else first}"
            if is_group and not again:
                shown.add(name)
                inside = [(child, True) for child in graph.children[name]]
                inside += [(node, False) for node in graph.members[name]]
                yield from below(inside, lead + ("    " if is_last else "│   "))

    yield graph.site
    yield from below(
        [*((name, True) for name in graph.outermost), *((name, False) for name in graph.loose)], ""
    )


def as_dot(graph: Graph) -> Iterator[str]:
    """Yield a document for Graphviz."""
    yield f'digraph "{graph.site}" {{'
    yield "  rankdir=LR;"
    yield f'  "{graph.site}" [shape=house];'
    yield from (f'  "@{group}" [shape=folder];' for group in graph.children)
    yield from (f'  "{above}" -> "{below}";' for above, below in _edges(graph))
    yield from (
        f'  "{waiting}" -> "{first}" [style=dashed, label=after, constraint=false];'
        for waiting, first in _waits(graph)
    )
    yield "}"


def as_mermaid(graph: Graph) -> Iterator[str]:
    """Yield a document for Mermaid, which many pages of text show as a picture."""
    ids: dict[str, str] = {}
    yield "graph LR"
    for name in dict.fromkeys(name for edge in _edges(graph) for name in edge):
        ids[name] = f"n{len(ids)}"
        yield f'  {ids[name]}["{name}"]'
    yield from (f"  {ids[above]} --> {ids[below]}" for above, below in _edges(graph))
    yield from (f"  {ids[waiting]} -. after .-> {ids[first]}" for waiting, first in _waits(graph))


def _edges(graph: Graph) -> Iterator[tuple[str, str]]:
    for group in graph.outermost:
        yield graph.site, f"@{group}"
    for node in graph.loose:
        yield graph.site, node
    for group, children in graph.children.items():
        for child in children:
            yield f"@{group}", f"@{child}"
        for node in graph.members[group]:
            yield f"@{group}", node


def _waits(graph: Graph) -> Iterator[tuple[str, str]]:
    for waiting, places in graph.after.items():
        yield from ((waiting, first) for first in places)
