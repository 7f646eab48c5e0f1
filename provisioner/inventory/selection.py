"""Which nodes ``--limit`` means: ``hv*,@storage,!hv03``. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase

from provisioner.addresses import NodeName
from provisioner.diagnostics import did_you_mean
from provisioner.errors import UsageError
from provisioner.inventory.model import Inventory


def select(inventory: Inventory, limit: str) -> tuple[NodeName, ...]:
    """Return the selected nodes in inventory order; all of them when ``limit`` is empty.

    Comma separates terms: a name, a glob, ``@group``; ``!`` in front takes nodes away. Terms that take away
    win wherever they stand; when there are only such terms, they take away from all nodes.

    Raises:
        UsageError: a term matches nothing, nothing is left, or there are commas and no terms.
    """
    terms = [term.strip() for term in limit.split(",") if term.strip()]
    if limit and not terms:
        raise UsageError(f"--limit {limit!r} names no node.", "Leave it out for all nodes.")
    wanted = [term for term in terms if not term.startswith("!")]
    unwanted = [term[1:].strip() for term in terms if term.startswith("!")]
    chosen = (
        {name for term in wanted for name in _matches(inventory, term)} if wanted else set(inventory.nodes)
    )
    dropped = {name for term in unwanted for name in _matches(inventory, term)}
    left = chosen - dropped
    selected = tuple(name for name in inventory.nodes if name in left)
    if not selected:
        raise UsageError(f"--limit {limit!r} leaves no node of {inventory.path}.")
    return selected


def _matches(inventory: Inventory, term: str) -> set[NodeName]:
    if term.startswith("@"):
        if term[1:] not in inventory.groups:
            raise UsageError(
                f"--limit names the group '{term[1:]}', which {inventory.path} does not have.",
                did_you_mean(term[1:], inventory.groups),
            )
        return set(inventory.groups[term[1:]])
    found = {name for name in inventory.nodes if fnmatchcase(name, term)}
    if not found:
        raise UsageError(
            f"--limit names '{term}', and no node of {inventory.path} is called so.",
            did_you_mean(term, inventory.nodes),
        )
    return found
