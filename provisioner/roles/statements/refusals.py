"""What roles refuse to make of a node: mistakes only the domain knows, told before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.expressions import ExpressionError
from provisioner.roles.memo import Values
from provisioner.roles.model import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.documents import Scalar
    from provisioner.roles.model import Refusal
    from provisioner.roles.statements.asking import Asking

#: What is refused of one node by one entry before the rest is left out.
_MOST_TOLD = 20


def refuse(asking: Asking) -> None:
    """Report everything a role refuses on a node."""
    memo, values = asking.of_node.memo, Values(asking.seen)
    for refusal in asking.role.refuse:
        if not asking.knows(refusal.variable):
            continue
        # Nodes of a fleet differ in few variables, and a statement reads few.
        key = memo.key_of(refusal, values)
        if key is not None and memo.allowed.get(key):
            continue
        told, before = 0, len(asking.problems)
        for item, names in _turns(refusal, asking):
            if told == _MOST_TOLD:
                break
            try:
                told += _refused(refusal, asking, item, names)
            except ExpressionError:
                break  # it is reported, and would be again for each item
        if key is not None and len(asking.problems) == before:
            memo.allowed.put(key, True)


def _refused(refusal: Refusal, asking: Asking, item: tuple[int, Any] | None, names: dict[str, Any]) -> bool:
    result = asking.plain(refusal.when, names)
    if not isinstance(result, bool):
        asking.problems.error(
            "Condition is not true or false",
            f"'when' yields true or false, and this yields {kind_of(result)} on node "
            f"'{asking.of_node.node.name}'.",
            refusal.when.where,
            "Compare it with something, for example {{ name != '' }}.",
        )
        return False
    if result:
        asking.problems.error(
            "Role refuses this",
            f"Role '{asking.role.name}' on node '{asking.of_node.node.name}': "
            + _text(refusal.reason, asking, names),
            asking.where(refusal.variable, item),
            _text(refusal.help, asking, names) if refusal.help else "",
        )
    return result


def _turns(refusal: Refusal, asking: Asking) -> Iterator[tuple[tuple[int, Any] | None, dict[str, Any]]]:
    """Yield what is seen in each turn of ``forEach``; one turn when there is none."""
    if refusal.for_each is None:
        yield None, {}
        return
    try:
        items = asking.plain(refusal.for_each)
    except ExpressionError:
        return
    if not isinstance(items, list | tuple):
        asking.problems.error(
            "forEach is not a list",
            f"'forEach' needs a list, and this is {kind_of(items)}.",
            refusal.for_each.where,
        )
        return
    for index, item in enumerate(items):
        yield (index, item), {"item": item, "index": index}


def _text(scalar: Scalar, asking: Asking, names: dict[str, Any]) -> str:
    return " ".join(str(asking.plain(scalar, names)).split())
