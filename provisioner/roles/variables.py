"""Give each variable of a role its value for one node: the node's, or else the role's default.

The rule: the inventory holds plain values only. Braces in them are text and are never evaluated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.roles.model import kind_of

if TYPE_CHECKING:
    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Inventory, Located, Node
    from provisioner.roles.loader import RoleLibrary
    from provisioner.roles.model import Role, Variable


def bind(role: Role, node: Node, used_at: SourceRange) -> tuple[dict[str, Any], Diagnostics]:
    """Return the values of a role's variables on one node.

    A variable the inventory sets to null counts as not set, so that a node can fall back on the default.

    Args:
        role: Declares the variables.
        node: Gives their values.
        used_at: Where the inventory gives the node this role, for variables that are missing.
    """
    problems = Diagnostics()
    values: dict[str, Any] = {}
    for variable in role.variables.values():
        given = node.variables.get(variable.name)
        if given is not None and given.value is not None:
            values[variable.name] = given.value
            _check(variable, given, role, problems)
        elif variable.is_required:
            problems.error(
                "Missing variable",
                f"The role '{role.name}' needs the variable '{variable.name}' on node '{node.name}': "
                f"{variable.description}",
                used_at,
                f"Set '{variable.name}' below 'variables' of the node, of one of its groups or of the site.",
            )
        else:
            values[variable.name] = variable.default
    return values, problems


def unknown_variables(inventory: Inventory, library: RoleLibrary) -> Diagnostics:
    """Warn of variables that no role of any node knows: mostly a misspelled name."""
    known: set[str] = set()
    for node in inventory.nodes.values():
        pending = [str(use.name) for use in node.roles]
        seen: set[str] = set()
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            role, _ = library.load(name)
            if role is None:
                return Diagnostics()  # There are errors already, and their variables cannot be judged.
            known.update(role.variables)
            pending.extend(reference.name for reference in role.requires)
    problems = Diagnostics()
    for node in inventory.nodes.values():
        for name, located in node.variables.items():
            if name not in known:
                problems.warning(
                    "Variable is used by no role",
                    f"No role of any node has a variable '{name}'.",
                    located.where,
                    did_you_mean(name, known),
                )
    return problems


def _check(variable: Variable, given: Located, role: Role, problems: Diagnostics) -> None:
    value = given.value
    if not variable.type.accepts(value):
        problems.error(
            "Variable has the wrong type",
            f"The variable '{variable.name}' of role '{role.name}' is of type {variable.type.value}, "
            f"and this is {kind_of(value)}.",
            given.where,
            _advice(variable, value),
        )
        return
    if variable.items:
        parts = value.items() if isinstance(value, dict) else enumerate(value, 1)
        for label, part in parts:
            if not variable.items.accepts(part):
                problems.error(
                    "Variable has the wrong type",
                    f"The items of the variable '{variable.name}' of role '{role.name}' are of type "
                    f"{variable.items.value}, and item {label} is {kind_of(part)}.",
                    given.where,
                )
    if variable.choices and value not in variable.choices:
        words = [str(choice) for choice in variable.choices]
        problems.error(
            "Variable has a value that is not allowed",
            f"The variable '{variable.name}' of role '{role.name}' is one of: {', '.join(words)}.",
            given.where,
            did_you_mean(value, words) if isinstance(value, str) else "",
        )


def _advice(variable: Variable, value: Any) -> str:
    if variable.type.value == "string" and isinstance(value, bool | int | float):
        return "Put it in quotes."
    if variable.type.value in {"boolean", "integer", "number"} and isinstance(value, str):
        return "Write it without quotes." if value.strip() else ""
    if variable.type.value == "list" and isinstance(value, str):
        return "Put '- ' before each item, on a line of its own."
    return ""
