"""Whom a node waits for because of its roles: names of nodes and groups, evaluated for that node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.addresses import NodeName
from provisioner.diagnostics import did_you_mean
from provisioner.documents import scalars
from provisioner.expressions import ExpressionError, is_expression, names_in
from provisioner.roles.checking.values import quotable
from provisioner.roles.model import kind_of
from provisioner.roles.statements.order import Waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Inventory
    from provisioner.roles.model import Wait
    from provisioner.roles.statements.asking import Asking


def by_role(asking: Asking, inventory: Inventory) -> Iterator[Waiting]:
    """Yield what one role lets one node wait for; the node's own name is dropped."""
    own = asking.of_node.node.name
    for wait in asking.role.after:
        try:
            names = list(_names(asking.plain(wait.nodes), wait, asking))
            reason = " ".join(str(asking.plain(wait.reason)).split()) if names else ""
        except ExpressionError:
            continue  # it is reported
        for name in names:
            where = _where(name, wait, asking)
            if name in inventory.groups:
                yield Waiting(name, reason, where, is_group=True)
            elif NodeName(name) not in inventory.nodes:
                asking.problems.error(
                    "Unknown node or group",
                    f"There is no node and no group '{name}' for node '{own}' to wait for, which its role "
                    f"'{asking.role.name}' asks for.",
                    where,
                    did_you_mean(name, [*inventory.nodes, *inventory.groups]),
                )
            elif name != own:
                yield Waiting(name, reason, where)


def _names(value: Any, wait: Wait, asking: Asking) -> Iterator[str]:
    for part in value if isinstance(value, list | tuple) else [value]:
        if isinstance(part, str):
            if part:
                yield part
        elif part is not None:
            asking.problems.error(
                "Node to wait for is not text",
                f"'nodes' is a name or a list of names, and this is {kind_of(part)} on node "
                f"'{asking.of_node.node.name}'.",
                wait.nodes.where,
            )


def _where(name: str, wait: Wait, asking: Asking) -> SourceRange:
    """Return where the inventory writes the name, in a variable that is read; else where the role is used."""
    fallback: SourceRange | None = None
    for expression in scalars(wait.nodes):
        read = names_in(expression.text) if is_expression(expression.text) else None
        for variable in sorted(read or ()):
            given = asking.of_node.given(asking.role, variable)
            if given is None:
                continue
            declared, located = given
            fallback = fallback or quotable(declared, located, located.where)
            for scalar in scalars(located.tree) if located.tree else ():
                if scalar.text == name:
                    return quotable(declared, located, scalar.where)
    return fallback or asking.of_node.used_at[asking.role.name]
