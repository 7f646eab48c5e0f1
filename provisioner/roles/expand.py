"""Turn the roles of one node into the resources they declare there, and hear what they refuse."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.roles.checking.pinned_files import is_pinned, upload_of
from provisioner.roles.evaluate import Evaluation, Reach
from provisioner.roles.model import Declaration, Expansion, LeftOut, Leftover, RoleChecks
from provisioner.roles.statements.asking import Asking
from provisioner.roles.statements.binding import RolesOfNode
from provisioner.roles.statements.refusals import refuse
from provisioner.roles.statements.service_options import check_options, option_of_variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.addresses import RoleName
    from provisioner.catalogue.registry import Registry
    from provisioner.diagnostics import SourceRange
    from provisioner.inventory.model import Node
    from provisioner.roles.loader import RoleLibrary
    from provisioner.roles.memo import Memo
    from provisioner.roles.model import ModuleUse, ResourceTemplate, Role, Upload

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
    of_node = RolesOfNode(node, library, problems, memo)
    of_node.all_values()
    roles = of_node.roles
    modules, module_wheres = _modules({**roles, **of_node.undone}, registry, problems)
    declarations: list[Declaration] = []
    left_out: list[LeftOut] = []
    # With a variable missing or of the wrong type, expressions would only repeat that in other words.
    is_bound = not problems.has_errors
    for role, resources in _declared(of_node) if is_bound else ():
        evaluation = Evaluation(
            role,
            of_node.seen_by(role, site),
            node.name,
            memo,
            Reach(of_node.required(role), partial(option_of_variable, role=role, of_node=of_node)),
        )
        evaluation.run(resources)
        problems.extend(evaluation.problems)
        declarations.extend(evaluation.declarations)
        for declaration in evaluation.declarations:
            if declaration.options:
                check_options(declaration, role, of_node, of_node.memo, problems)
        left_out.extend(evaluation.left_out)
    for role in roles.values() if is_bound else ():
        if role.refuse:
            refuse(Asking(of_node, role, site, problems))
    merged: dict[str, Any] = {}
    for role in (*roles.values(), *of_node.undone.values()):
        merged = {**of_node.values(role), **merged}
    expansion = Expansion(
        roles=tuple(roles),
        requires={role.name: role.requires for role in (*roles.values(), *of_node.undone.values())},
        declarations=tuple(declarations),
        left_out=tuple(left_out),
        modules=modules,
        module_wheres=module_wheres,
        variables=merged,
        checks=tuple(RoleChecks(role.name, path) for role in roles.values() for path in role.checks),
        preflight=tuple(RoleChecks(role.name, path) for role in roles.values() for path in role.preflight),
        decommissioned=tuple(of_node.undone),
        leaves=tuple(
            Leftover(role.name, what)
            for role in of_node.undone.values()
            if role.decommission
            for what in role.decommission.leaves
        ),
        uploads=_uploads(of_node) if is_bound else (),
    )
    return expansion, problems


def _declared(of_node: RolesOfNode) -> Iterator[tuple[Role, tuple[ResourceTemplate, ...]]]:
    """Yield each role with the resources it declares here: those that undo it where it is to be undone."""
    for role in of_node.roles.values():
        yield role, role.resources
    for role in of_node.undone.values():
        if role.decommission:
            yield role, role.decommission.resources


def _uploads(of_node: RolesOfNode) -> tuple[Upload, ...]:
    """Return the files that have to go to the node, each once."""
    found: dict[str, Upload] = {}
    for role in of_node.roles.values():
        for name, variable in role.variables.items():
            if is_pinned(variable.type) and (given := of_node.given(role, name)):
                upload = upload_of(variable.type, given[1])
                if upload is not None:
                    found.setdefault(upload.destination.casefold(), upload)
    return tuple(found.values())


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
