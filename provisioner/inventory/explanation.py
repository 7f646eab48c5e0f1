"""Why a node has the values it has: each with the layer it came from and what that layer overrode.

The rule of the room: nothing is computed a second way. Values are narrowed and merged by the very functions the
compiler uses; here they are only told apart again by the lines they were written in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from provisioner.documents import Mapping, Scalar, Sequence, Tree, plain, step_into
from provisioner.inventory.ladder import aggregates_of
from provisioner.inventory.masking import HIDDEN, mask_addresses, sounds_secret
from provisioner.inventory.merge import KNOCK_OUT
from provisioner.inventory.model import Layer, LayerKind
from provisioner.inventory.schema import CONNECTION_KEYS, ConnectionModel, is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as Many

    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Inventory, Node, RoleUse

Path = tuple[str | int, ...]
#: Whether what stands under the keys and indexes of a path is a secret.
IsSecret = Callable[[Path], bool]

#: The layer of a value that stands in no file.
BUILT_IN: Final = "built-in default"


@dataclass(frozen=True, slots=True)
class Given:
    """What one layer gives; ``where`` is None for what stands in no file."""

    layer: str
    value: Any
    where: SourceRange | None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a merged value, or one that a nearer layer took away (``taken_by``)."""

    path: Path
    given: Given
    over: tuple[Given, ...] = ()
    taken_by: Given | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """One value of a node. ``over`` is what it overrode, the nearest first.

    ``merged`` is the strategy of a value made of several layers, part by part in ``parts``; else it is empty, and
    so are they. ``role`` is set where two roles see different values.
    """

    section: str
    path: Path
    given: Given
    over: tuple[Given, ...] = ()
    merged: str = ""
    parts: tuple[Part, ...] = ()
    role: str = ""
    is_reference: bool = False


def explain_settings(node: Node, inventory: Inventory) -> Iterator[Explained]:
    """Yield everything of a node but its variables."""
    yield from _single("address", node, Given(BUILT_IN, str(node.name), None))
    yield from _groups(node, inventory)
    yield from _roles("roles", node.roles, node)
    yield from _roles("decommission", node.decommission, node)
    for use in node.after:
        yield Explained("after", (use.name,), Given(use.said_by, use.name, use.where))
    yield from _aggregates(node)
    yield from _connection(node)
    yield from _encryption(node)
    yield from _single("management_adapter", node, None)


def safe(value: Any, names: Path, *, is_secret: IsSecret | None = None) -> Any:
    """Return a value that can be shown: a secret that stands where a reference belongs is not.

    Args:
        value: Plain data.
        names: The keys it stands under.
        is_secret: Whether a reference is what belongs under a path, whatever it is called.
    """
    if isinstance(value, dict):
        return {name: safe(part, (*names, name), is_secret=is_secret) for name, part in value.items()}
    if isinstance(value, list):
        return [safe(part, (*names, index), is_secret=is_secret) for index, part in enumerate(value)]
    is_harmless = value is None or isinstance(value, bool) or is_reference(str(value))
    is_named = any(isinstance(name, str) and sounds_secret(name) for name in names)
    if not is_harmless and (is_named or (is_secret and is_secret(names))):
        return HIDDEN
    return mask_addresses(value) if isinstance(value, str) else value


def narrowed(values: list[tuple[str, Tree]], path: Path) -> list[tuple[str, Tree]]:
    """Return what each layer gives at a path below; layers without it are left out."""
    found = ((label, step_into(tree, path)) for label, tree in values)
    return [(label, tree) for label, tree in found if tree is not None]


def parts(
    whole: Tree, values: list[tuple[str, Tree]], name: str, below: Path, *, is_secret: IsSecret
) -> tuple[Part, ...]:
    """Tell the parts of a merged variable apart by the layer each stands in.

    Args:
        whole: What was made of ``values``, or the part of it that is under ``below``.
        values: Layers and what they give for the whole variable, the widest first.
        name: The name of the variable.
        below: Where ``whole`` stands in the variable.
        is_secret: See ``safe``.
    """
    labels = [label for label, _ in values]
    owners: dict[int, str] = {}
    for label, tree in values:
        owners.update((id(leaf), label) for _, leaf in _leaves(tree, ()))

    def given(label: str, path: Path, tree: Tree) -> Given:
        return Given(label, safe(plain(tree), (name, *below, *path), is_secret=is_secret), tree.where)

    found = []
    for path, leaf in _leaves(whole, ()):
        owner = owners.get(id(leaf), labels[-1])
        full = (*below, *path)
        # Items of lists stand beside each other: none overrides another, and their numbers mean nothing elsewhere.
        wider = [] if _in_list(full) else values[: labels.index(owner)]
        over = tuple(given(label, path, tree) for label, tree in reversed(narrowed(wider, full)))
        found.append(Part(path, given(owner, path, leaf), over))
    if not _in_list(below):
        kept = {id(leaf) for _, leaf in _leaves(whole, ())}
        found.extend(_taken(values, below, kept, given))
    return tuple(found)


def _taken(
    values: list[tuple[str, Tree]], below: Path, kept: set[int], given: Callable[[str, Path, Tree], Given]
) -> Iterator[Part]:
    """Yield what nearer layers took away."""
    for index, (label, tree) in enumerate(values):
        for path, leaf in _leaves(tree, ()):
            if id(leaf) in kept or path[: len(below)] != below:
                continue
            taker = _taker(path, leaf, values[index + 1 :])
            if taker:
                inner = path[len(below) :]
                yield Part(inner, given(label, inner, leaf), taken_by=Given(taker[0], None, taker[1]))


def _taker(path: Path, leaf: Tree, nearer: list[tuple[str, Tree]]) -> tuple[str, SourceRange] | None:
    """Find the knock-out that took a leaf away: of an item of its list, or of a key on the way to it."""
    for label, tree in nearer:
        for depth, step in enumerate(path):
            around = step_into(tree, path[:depth])
            if isinstance(around, Mapping) and isinstance(step, str):
                entry = around.entry(KNOCK_OUT + step)
                if entry:
                    return label, entry.key.where
            # An item of a list is called by its own text, or by the text under its key.
            is_name = len(path) - depth in {1, 2}
            if is_name and isinstance(around, Sequence) and isinstance(leaf, Scalar):
                for item in around.items:
                    if isinstance(item, Scalar) and item.text == KNOCK_OUT + leaf.text:
                        return label, item.where
    return None


def _leaves(tree: Tree, path: Path) -> Iterator[tuple[Path, Tree]]:
    """Yield single values and empty collections."""
    if isinstance(tree, Mapping) and tree.entries:
        for entry in tree.entries:
            yield from _leaves(entry.value, (*path, entry.name))
    elif isinstance(tree, Sequence) and tree.items:
        for index, item in enumerate(tree.items):
            yield from _leaves(item, (*path, index))
    else:
        yield path, tree


def _in_list(path: Path) -> bool:
    return any(isinstance(step, int) for step in path)


def _sections(node: Node, name: str) -> list[tuple[Layer, Tree]]:
    found = ((layer, layer.tree.get(name)) for layer in node.layers)
    return [(layer, tree) for layer, tree in found if tree is not None]


def _single(name: str, node: Node, fallback: Given | None) -> Iterator[Explained]:
    values = [
        Given(str(layer), tree.value, tree.where)
        for layer, tree in reversed(_sections(node, name))
        if isinstance(tree, Scalar) and tree.value is not None
    ]
    if fallback:
        values.append(fallback)
    if values:
        yield Explained(name, (), values[0], tuple(values[1:]))


def _groups(node: Node, inventory: Inventory) -> Iterator[Explained]:
    """Yield each group with the list it stands in: the node's own, or that of the group around it."""
    layers = {layer.name: layer for layer in node.layers if layer.kind is LayerKind.GROUP}
    for group in node.groups:
        own = next((layer for layer in node.layers if layer.kind is LayerKind.NODE), None)
        item = _item(own.tree.get("groups"), group) if own else None
        if own and item:
            yield Explained("groups", (group,), Given(str(own), group, item.where))
            continue
        child = next(name for name in node.groups if name in inventory.children.get(group, ()))
        item = _item(layers[group].tree.get("children"), child)
        where = item.where if item else None
        yield Explained(
            "groups", (group,), Given(f"{LayerKind.GROUP.value} {child}, a child of it", group, where)
        )


def _item(listed: Tree | None, name: str) -> Scalar | None:
    items = listed.items if isinstance(listed, Sequence) else ()
    return next((item for item in items if isinstance(item, Scalar) and item.text == name), None)


def _roles(section: str, uses: Many[RoleUse], node: Node) -> Iterator[Explained]:
    for use in uses:
        layer = next(
            layer for layer, listed in _sections(node, section) if _item(listed, str(use.name)) is not None
        )
        yield Explained(section, (str(use.name),), Given(str(layer), str(use.name), use.where))


def _aggregates(node: Node) -> Iterator[Explained]:
    layers = [layer for layer in node.layers if layer.kind is not LayerKind.SITE]
    for use in node.aggregates:
        layer = next(
            layer for layer in layers if any(item.text == use.name for item in aggregates_of(layer.tree))
        )
        yield Explained("aggregates", (use.name,), Given(str(layer), use.name, use.where))


def _connection(node: Node) -> Iterator[Explained]:
    given: dict[str, list[Given]] = {}
    for layer, section in reversed(_sections(node, "connection")):
        for entry in section.entries if isinstance(section, Mapping) else ():
            value = safe(plain(entry.value), (entry.name,))
            given.setdefault(entry.name, []).append(Given(str(layer), value, entry.value.where))
    for key in CONNECTION_KEYS:
        default = ConnectionModel.model_fields[key].default
        if key == "port":
            default = node.connection.endpoint.port if key not in given else None
        if key == "transport":
            default = "psrp"
        built_in = [] if default in {None, ""} else [Given(BUILT_IN, default, None)]
        values = [*given.get(key, []), *built_in]
        if values:
            is_ref = key == "password"
            yield Explained("connection", (key,), values[0], tuple(values[1:]), is_reference=is_ref)


def _encryption(node: Node) -> Iterator[Explained]:
    """Yield the section that counts: it is one decision, so sections are overridden whole."""
    values = [
        Given(str(layer), plain(section), section.where)
        for layer, section in reversed(_sections(node, "encryption"))
        if isinstance(section, Mapping)
    ]
    if values:
        yield Explained("encryption", (), values[0], tuple(values[1:]))
