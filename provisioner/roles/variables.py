"""Give each variable of a role its value for one node: the node's, or else the role's default.

The rule: the inventory holds plain values only. Braces in them are text and are never evaluated. A secret that
stands in the place of a reference is never quoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.inventory.ladder import values_of
from provisioner.inventory.merge import Findings
from provisioner.roles import layering
from provisioner.roles.checking.pinned_files import is_pinned, resolved
from provisioner.roles.checking.values import check_value, filled
from provisioner.roles.secret_variables import hidden_in, holds_secrets

if TYPE_CHECKING:
    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Inventory, Layer, Located, Node
    from provisioner.roles.loader import RoleLibrary
    from provisioner.roles.model import Role, Variable


def bind(
    role: Role, node: Node, used_at: SourceRange, needed: frozenset[str] | None = None
) -> tuple[dict[str, Any], Diagnostics]:
    """Return the values of a role's variables on one node.

    A variable the inventory sets to null counts as not set, so that a node can fall back on the default.

    Args:
        role: Declares the variables.
        node: Gives their values.
        used_at: Where the inventory gives the node this role, for variables that are missing.
        needed: The variables that are read at all; all of them when it is None. Others may be missing.
    """
    problems = Diagnostics()
    values: dict[str, Any] = {}
    for variable, given in layering.all_given(role.variables.values(), node):
        if given is not None:
            found = Diagnostics()
            check_value(variable, given, f"variable '{variable.name}' of role '{role.name}'", found)
            values[variable.name] = given.value if len(found) else _whole(variable, given)
            problems.extend(found)
        elif variable.is_required and (needed is None or variable.name in needed):
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


def _whole(variable: Variable, given: Located) -> Any:
    """Return a value without errors with all that it stands for."""
    if is_pinned(variable.type):
        return resolved(variable.type, given)
    return filled(variable, given.value)


def unknown_variables(inventory: Inventory, library: RoleLibrary) -> Diagnostics:
    """Warn of what names nothing: variables no role of any node has, and merges without effect."""
    problems = Diagnostics()
    roles: dict[tuple[str, ...], dict[str, Role]] = {}
    known: set[str] = set()
    for node in inventory.nodes.values():
        names = _uses(node)
        if names not in roles:
            roles[names], found = roles_of(node, library)
            if found.has_errors:
                return problems  # They are reported elsewhere, and their variables cannot be judged.
            known.update(*(role.variables for role in roles[names].values()))
    unknown: dict[str, dict[SourceRange, None]] = {}
    findings = Findings()
    merged: set[tuple[int, ...]] = set()
    for node in inventory.nodes.values():
        for name in node.variables.keys() - known:
            unknown.setdefault(name, {})[node.variables[name].where] = None
        of_node = roles[_uses(node)]
        _note_merges(node, of_node, merged, findings)
    for name, wheres in unknown.items():
        detail = f"No role of any node has a variable '{name}'."
        detail += f" It is given in {len(wheres)} places." if len(wheres) > 1 else ""
        problems.warning("Variable is used by no role", detail, next(iter(wheres)), did_you_mean(name, known))
    _warn_of_merges(findings, problems)
    return problems


def written_secrets(inventory: Inventory, library: RoleLibrary) -> list[SourceRange]:
    """Return where an inventory may hold a secret that should be a reference, by what roles say of variables.

    Whatever else is wrong in such a line, the line is quoted.
    """
    variables: dict[int, Variable] = {}
    layers: dict[int, Layer] = {}
    seen: set[tuple[str, ...]] = set()
    for node in inventory.nodes.values():
        layers.update((id(layer.tree), layer) for layer in node.layers)
        if _uses(node) in seen:
            continue
        seen.add(_uses(node))
        for role in roles_of(node, library)[0].values():
            variables.update((id(each), each) for each in role.variables.values() if holds_secrets(each))
    return [
        where
        for variable in variables.values()
        for _, tree in values_of(variable.name, layers.values())
        for where in hidden_in(variable, tree)
    ]


def _uses(node: Node) -> tuple[str, ...]:
    return tuple(str(use.name) for use in (*node.roles, *node.decommission))


def roles_of(node: Node, library: RoleLibrary) -> tuple[dict[str, Role], Diagnostics]:
    """Return the roles of a node, undone ones included, and all they require, and why one cannot be read."""
    found: dict[str, Role] = {}
    problems = Diagnostics()
    pending = [(str(use.name), use.where) for use in reversed((*node.roles, *node.decommission))]
    while pending:
        name, where = pending.pop()
        if name in found:
            continue
        role, of_role = library.load(name)
        problems.extend(of_role)
        if role is not None:
            found[name] = role
            pending.extend((reference.name, reference.where) for reference in reversed(role.requires))
        elif not library.has(name):
            detail = f"There is no role '{name}', neither in the project nor built in."
            problems.error("Unknown role", detail, where, did_you_mean(name, library.names))
    return found, problems


def _note_merges(
    node: Node, roles: dict[str, Role], merged: set[tuple[int, ...]], findings: Findings
) -> None:
    """Merge what this node merges, each list of values once, to see what the merges do."""
    has_rules = bool(node.rules)
    for role in roles.values():
        for variable in role.variables.values():
            if not (has_rules or variable.merge) or not layering.is_merged(variable, node):
                continue
            values = layering.contributions(variable, node)
            key = (id(variable), *map(id, values))
            if values and key not in merged:
                merged.add(key)
                layering.joined(variable, node, values, findings)


def _warn_of_merges(findings: Findings, problems: Diagnostics) -> None:
    for where, (what, present) in findings.idle.items():
        if where not in findings.effective:
            problems.warning(
                "Nothing to take away",
                f"No wider layer of any node gives '{what}' here, so '--{what}' does nothing.",
                where,
                did_you_mean(what, present) or "Remove it.",
            )
    for where, what in findings.misfits.items():
        problems.warning(
            "Layers cannot be merged",
            f"The nearer value counts alone: {what}.",
            where,
        )
