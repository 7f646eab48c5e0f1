"""What roles say of the nodes of an inventory beside each other: values nobody shares, and who comes first.

The rule of the room: every node counts, also one that is not selected, since it is there all the same. What is
wrong with the roles of a node is told where it is compiled; here such a node says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.diagnostics import Diagnostics
from provisioner.roles.statements.asking import Asking
from provisioner.roles.statements.binding import RolesOfNode
from provisioner.roles.statements.claims import Claims
from provisioner.roles.statements.order import Order, Waiting, by_inventory
from provisioner.roles.statements.waits import by_role

if TYPE_CHECKING:
    from collections.abc import Collection

    from provisioner.addresses import NodeName
    from provisioner.inventory.model import Inventory, Node
    from provisioner.roles.loader import RoleLibrary
    from provisioner.roles.memo import Memo


def beside_each_other(
    inventory: Inventory, selected: Collection[NodeName], library: RoleLibrary, memo: Memo
) -> tuple[Order, Diagnostics]:
    """Find what the nodes of an inventory must not share, and the order they come in.

    Args:
        inventory: All nodes.
        selected: Those whose mistakes are told; a value shared with one of these is one of theirs.
        library: The roles.
        memo: What is known of roles already.

    Returns:
        The order, which is empty when there is none, and all problems.
    """
    problems = Diagnostics()
    claims = Claims(frozenset(selected), problems)
    waiting: dict[NodeName, list[Waiting]] = {}
    for name, node in inventory.nodes.items():
        waits = [by_inventory(use, inventory) for use in node.after]
        own = problems if name in selected else Diagnostics()
        waits += _said(node, inventory, library, memo, claims, own)
        if waits:
            waiting[name] = waits
    claims.compare()
    return Order.of(inventory, waiting, problems), problems


def _said(  # noqa: PLR0913, PLR0917 - a node, what is known, and who hears of it
    node: Node,
    inventory: Inventory,
    library: RoleLibrary,
    memo: Memo,
    claims: Claims,
    problems: Diagnostics,
) -> list[Waiting]:
    """Collect what the roles of one node claim for it; return whom it waits for because of them."""
    of_roles = Diagnostics()
    of_node = RolesOfNode(node, library, of_roles, memo)
    waits: list[Waiting] = []
    for role in of_node.roles.values():
        if of_roles.has_errors or not (role.unique or role.after):
            continue
        asking = Asking(of_node, role, inventory.site, problems)
        if not of_roles.has_errors:
            claims.collect(asking)
            waits += by_role(asking, inventory)
    return waits
