"""What a variable of a role comes to on a node: the inventory's layers, and the role's default below them.

The rule of the room: the inventory knows no roles, so it cannot merge by a strategy a role asks for, nor on top of
a default. That is done here, only for the variables that need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.documents import plain
from provisioner.inventory.ladder import values_of
from provisioner.inventory.merge import Findings, is_null, merge
from provisioner.inventory.model import Located
from provisioner.inventory.strategies import REPLACE, Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provisioner.documents import Tree
    from provisioner.inventory.model import Node
    from provisioner.roles.model import Variable


def given(variable: Variable, node: Node) -> Located | None:
    """Return the value the layers give a variable, merged with its default where it is merged at all.

    None when there is none, or only null: then the default counts as it is.
    """
    if not is_merged(variable, node):
        located = node.variables.get(variable.name)
        return None if located is None or located.value is None else located
    values = contributions(variable, node)
    if not values:
        return None
    whole = joined(variable, node, values)
    return Located(plain(whole), whole.where, whole)


def all_given(variables: Iterable[Variable], node: Node) -> Iterator[tuple[Variable, Located | None]]:
    """Yield each variable with what the layers give it; most are merged by nobody, and found by their name."""
    values, has_rules = node.variables, bool(node.rules)
    for variable in variables:
        if has_rules or variable.merge is not None:
            yield variable, given(variable, node)
        else:
            located = values.get(variable.name)
            yield variable, None if located is None or located.value is None else located


def is_merged(variable: Variable, node: Node) -> bool:
    """Whether more than the nearest layer may count."""
    is_role_s = variable.merge is not None and variable.merge.mode is not Mode.REPLACE
    return is_role_s or bool(node.rules and node.rules.at(variable.name))


def contributions(variable: Variable, node: Node) -> list[Tree]:
    """Return what the layers of the inventory give, the widest first; a null drops all that is wider."""
    values: list[Tree] = []
    for _, tree in values_of(variable.name, node.layers):
        values = [] if is_null(tree) else [*values, tree]
    return values


def joined(variable: Variable, node: Node, values: list[Tree], findings: Findings | None = None) -> Tree:
    """Merge values, the default below them."""
    default = variable.default_tree
    widest = [] if default is None or is_null(default) or variable.is_required else [default]
    return merge([*widest, *values], node.rules.at(variable.name), variable.merge or REPLACE, findings)
