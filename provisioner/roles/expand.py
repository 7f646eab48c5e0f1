"""Turn the roles of one node into the resources they declare there.

Roles come in an order in which every required role precedes the one that requires it. A role sees its own
variables and those of the roles it requires, directly or not; its own win.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.addresses import RoleName
from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.roles.evaluate import Evaluation
from provisioner.roles.model import Declaration, Expansion, LeftOut, Reference, RoleChecks
from provisioner.roles.variables import bind

if TYPE_CHECKING:
    from provisioner.catalogue.registry import Registry
    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Node
    from provisioner.roles.loader import RoleLibrary
    from provisioner.roles.memo import Memo
    from provisioner.roles.model import ModuleUse, Role

__all__ = ["Expansion", "expand"]


def expand(
    node: Node, library: RoleLibrary, registry: Registry, *, site: str = "", memo: Memo | None = None
) -> tuple[Expansion, Diagnostics]:
    """Expand the roles of one node.

    Args:
        node: Its roles and variables.
        library: Where roles are found.
        registry: The modules that are known; a role that needs another one is an error.
        site: What expressions see as ``site``.
        memo: Shared by the nodes of a fleet; what two nodes have in common is then one object.

    Returns:
        The expansion, which is incomplete when there are errors, and all problems.
    """
    problems = Diagnostics()
    roles, used_at = _in_order(node, library, problems)
    modules, module_wheres = _modules(roles, registry, problems)
    values = _values(node, roles, used_at, problems)
    declarations: list[Declaration] = []
    left_out: list[LeftOut] = []
    # With a variable missing or of the wrong type, expressions would only repeat that in other words.
    for role in () if problems.has_errors else roles.values():
        given = {"node": _node_facts(node), "site": site}
        evaluation = Evaluation(role, {**_visible(role, roles, values), **given}, node.name, memo)
        evaluation.run()
        problems.extend(evaluation.problems)
        declarations.extend(evaluation.declarations)
        left_out.extend(evaluation.left_out)
    merged: dict[str, Any] = {}
    for name in roles:
        merged = {**values[name], **merged}
    checks = tuple(RoleChecks(role.name, path) for role in roles.values() for path in role.checks)
    requires = {role.name: role.requires for role in roles.values()}
    expansion = Expansion(
        roles=tuple(roles),
        requires=requires,
        declarations=tuple(declarations),
        left_out=tuple(left_out),
        modules=modules,
        module_wheres=module_wheres,
        variables=merged,
        checks=checks,
    )
    return expansion, problems


def _node_facts(node: Node) -> dict[str, str]:
    return {"name": str(node.name), "address": node.connection.endpoint.host}


def _in_order(
    node: Node, library: RoleLibrary, problems: Diagnostics
) -> tuple[dict[RoleName, Role], dict[RoleName, SourceRange]]:
    """Return all roles of a node, required ones first, and where the inventory asks for each."""
    roles: dict[RoleName, Role] = {}
    used_at: dict[RoleName, SourceRange] = {}
    failed: set[str] = set()

    def visit(reference: Reference, use: SourceRange, path: tuple[Reference, ...]) -> None:
        name = reference.name
        if name in roles or name in failed:
            return
        names = [step.name for step in path]
        if name in names:
            circle = [*names[names.index(name) :], name]
            problems.error(
                "Roles require each other in a circle",
                f"These roles require each other: {' → '.join(circle)}.",
                reference.where,
                "Remove one of the 'requires' entries.",
            )
            return
        role, found = library.load(name)
        problems.extend(found)
        if role is None:
            failed.add(name)
            if not library.has(name):
                problems.error(
                    "Unknown role",
                    f"There is no role '{name}', neither in the project nor built in.",
                    reference.where,
                    did_you_mean(name, library.names),
                )
            return
        for required in role.requires:
            visit(required, use, (*path, reference))
        roles[role.name] = role
        used_at[role.name] = use

    for role_use in node.roles:
        visit(Reference(str(role_use.name), role_use.where), role_use.where, ())
    return roles, used_at


def _modules(
    roles: dict[RoleName, Role], registry: Registry, problems: Diagnostics
) -> tuple[dict[str, str], dict[str, SourceRange]]:
    """Return the one version of each module, and where it was asked for first."""
    first: dict[str, ModuleUse] = {}
    spelled: dict[str, str] = {}
    for role in roles.values():
        for use in role.modules.values():
            key = use.name.casefold()
            earlier = first.setdefault(key, use)
            versions = registry.versions(use.name)
            if not versions:
                problems.error(
                    "Unknown module",
                    f"The catalogue has no module '{use.name}'.",
                    use.name_where,
                    did_you_mean(use.name, registry.modules),
                )
                continue
            found = registry.find(use.name, use.version)
            spelled[key] = found[0] if found else use.name
            if found is None:
                problems.error(
                    "Unknown module version",
                    f"The catalogue has no version '{use.version}' of the module '{use.name}', and a node takes "
                    "exactly the version a document names.",
                    use.where,
                    f"Known, newest first: {', '.join(versions)}. A version of your own comes with "
                    "'provision catalog import'.",
                )
            elif earlier.version != use.version:
                problems.error(
                    "Roles need different versions of a module",
                    f"Role '{role.name}' needs {use.name} {use.version}, but {earlier.version} is needed at "
                    f"{earlier.where}, and a node can only use one.",
                    use.where,
                    "Give both roles the same version.",
                )
    names = {spelled[key]: use for key, use in first.items() if key in spelled}
    return {name: use.version for name, use in names.items()}, {
        name: use.where for name, use in names.items()
    }


def _values(
    node: Node,
    roles: dict[RoleName, Role],
    used_at: dict[RoleName, SourceRange],
    problems: Diagnostics,
) -> dict[RoleName, dict[str, Any]]:
    values = {}
    for name, role in roles.items():
        values[name], found = bind(role, node, used_at[name])
        problems.extend(found)
    return values


def _visible(
    role: Role, roles: dict[RoleName, Role], values: dict[RoleName, dict[str, Any]]
) -> dict[str, Any]:
    """Return the variables a role sees: those of required roles below its own."""
    seen: dict[str, Any] = {}
    for required in role.requires:
        needed = roles.get(RoleName(required.name))
        if needed:
            seen |= _visible(needed, roles, values)
    return seen | values[role.name]
