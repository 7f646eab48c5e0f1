"""Give each variable of a role its value for one node: the node's, or else the role's default.

The rule: the inventory holds plain values only. Braces in them are text and are never evaluated. A secret that
stands in the place of a reference is never quoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.inventory.merge import Findings
from provisioner.roles import layering
from provisioner.roles.masking import starred
from provisioner.roles.model import VariableType, kind_of
from provisioner.roles.secret_variables import SECRETS, SecretChecks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Inventory, Located, Node
    from provisioner.roles.loader import RoleLibrary
    from provisioner.roles.model import Role, Variable

_NOT_QUOTED = frozenset({VariableType.BOOLEAN, VariableType.INTEGER, VariableType.NUMBER})


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
        given = layering.given(variable, node)
        if given is not None:
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
    """Warn of what names nothing: variables no role of any node has, and merges without effect."""
    problems = Diagnostics()
    roles: dict[tuple[str, ...], dict[str, Role]] = {}
    known: set[str] = set()
    for node in inventory.nodes.values():
        names = tuple(str(use.name) for use in node.roles)
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
        of_node = roles[tuple(str(use.name) for use in node.roles)]
        _note_merges(node, of_node, merged, findings)
    for name, wheres in unknown.items():
        detail = f"No role of any node has a variable '{name}'."
        detail += f" It is given in {len(wheres)} places." if len(wheres) > 1 else ""
        problems.warning("Variable is used by no role", detail, next(iter(wheres)), did_you_mean(name, known))
    _warn_of_merges(findings, problems)
    return problems


def roles_of(node: Node, library: RoleLibrary) -> tuple[dict[str, Role], Diagnostics]:
    """Return the roles of a node and all they require, by name, and why one of them cannot be read."""
    found: dict[str, Role] = {}
    problems = Diagnostics()
    pending = [(str(use.name), use.where) for use in reversed(node.roles)]
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
    for role in roles.values():
        for variable in role.variables.values():
            if not layering.is_merged(variable, node):
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


def _check(variable: Variable, given: Located, role: Role, problems: Diagnostics) -> None:
    value = given.value
    of = f"variable '{variable.name}' of role '{role.name}'"
    if variable.type in SECRETS:
        _check_secret(variable.type, f"The {of}", value, given, (), problems)
        return
    if not variable.type.accepts(value):
        is_secret = variable.items in SECRETS
        problems.error(
            "Variable has the wrong type",
            f"The {of} is of type {variable.type.value}, and this is {kind_of(value)}.",
            starred(given.where) if is_secret else given.where,
            _advice(variable.type, value),
        )
        return
    if variable.items:
        _check_items(variable.items, of, given, problems)
    if variable.choices and value not in variable.choices:
        words = [str(choice) for choice in variable.choices]
        problems.error(
            "Variable has a value that is not allowed",
            f"The {of} is one of: {', '.join(words)}.",
            given.where,
            did_you_mean(value, words) if isinstance(value, str) else "",
        )


def _check_items(kind: VariableType, of: str, given: Located, problems: Diagnostics) -> None:
    for label, step, part in _parts(given.value):
        if kind in SECRETS:
            _check_secret(kind, f"Item {label} of the {of}", part, given, (step,), problems)
        elif not kind.accepts(part):
            problems.error(
                "Variable has the wrong type",
                f"The items of the {of} are of type {kind.value}, and item {label} is {kind_of(part)}.",
                given.origin(step),
                _advice(kind, part),
            )


def _check_secret(  # noqa: PLR0913, PLR0917 - a value, its name and its place
    kind: VariableType,
    what: str,
    value: Any,
    given: Located,
    path: tuple[str | int, ...],
    problems: Diagnostics,
) -> None:
    checks = SecretChecks(given.tree, given.where, problems)
    if kind is VariableType.SECRET:
        checks.secret(what, value, given.origin(*path))
    else:
        checks.credential(what, given.part(*path), value, given.origin(*path))


def _parts(value: Any) -> Iterator[tuple[str, str | int, Any]]:
    """Yield each part with its name for people and its place in the tree."""
    if isinstance(value, dict):
        yield from ((name, name, part) for name, part in value.items())
    else:
        yield from ((str(index + 1), index, part) for index, part in enumerate(value))


def _advice(kind: VariableType, value: Any) -> str:
    if kind is VariableType.STRING and isinstance(value, bool | int | float):
        return "Put it in quotes."
    if kind in _NOT_QUOTED and isinstance(value, str):
        return "Write it without quotes." if value.strip() else ""
    if kind is VariableType.LIST and isinstance(value, str):
        return "Put '- ' before each item, on a line of its own."
    return ""
