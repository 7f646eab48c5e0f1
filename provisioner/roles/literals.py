"""Tell what of a resource template means the same wherever it is evaluated: nothing in it is an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.documents import Mapping, Scalar, Sequence
from provisioner.expressions import is_expression
from provisioner.roles.model import Reference, Value

if TYPE_CHECKING:
    from provisioner.documents import Tree
    from provisioner.roles.model import ResourceTemplate

#: A property of a template: its name, what is written, and what that means if it means the same everywhere.
Property = tuple[Reference, "Tree", Value | None]


def properties_of(template: ResourceTemplate) -> tuple[Property, ...]:
    """Return the properties of a template, in file order."""
    return tuple((Reference(key.text, key.where), tree, literal(tree)) for key, tree in template.properties)


def literal(tree: Tree) -> Value | None:
    """Return what a tree without expressions means; None when it has any."""
    match tree:
        case Scalar(value=str() as text):
            return None if is_expression(text) else Value(text, tree.where)
        case Scalar():
            return Value(tree.value, tree.where, text=tree.text)
        case Sequence():
            items = tuple(map(literal, tree.items))
            whole = tuple(item for item in items if item is not None)
            is_literal = len(whole) == len(items)
            return Value(tuple(item.data for item in whole), tree.where, whole) if is_literal else None
        case Mapping():
            parts = [(Reference(entry.name, entry.key.where), literal(entry.value)) for entry in tree.entries]
            entries = tuple((key, part) for key, part in parts if part is not None)
            if len(entries) < len(parts):
                return None
            return Value({key.name: part.data for key, part in entries}, tree.where, entries=entries)
