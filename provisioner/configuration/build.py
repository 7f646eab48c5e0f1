"""Make one checked configuration of everything a node's roles declare.

All problems come at once: properties of every resource first, then what only shows between resources.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provisioner.addresses import ResourceId
from provisioner.configuration.check import check
from provisioner.configuration.digest import document_name
from provisioner.configuration.graph import Edge, RoleNode, order, report_cycles, required_edges
from provisioner.configuration.model import Configuration
from provisioner.diagnostics import Diagnostics, did_you_mean

if TYPE_CHECKING:
    from provisioner.catalogue.registry import Registry
    from provisioner.configuration.model import Resource
    from provisioner.inventory.model import Node
    from provisioner.roles.model import Declaration, Expansion, Reference


def build(node: Node, expansion: Expansion, registry: Registry) -> tuple[Configuration | None, Diagnostics]:
    """Check the declarations of one node and put them in order.

    Returns:
        The configuration and its problems. None beside errors, and beside a warning when the roles declare
        nothing on this node: no LCM takes a document without resources.
    """
    problems = Diagnostics()
    if not expansion.declarations:
        problems.warning(
            "Node has no resources",
            f"The roles of node '{node.name}' declare nothing on it, so there is nothing to apply.",
            node.where,
        )
        return None, problems
    collection = _Collection(problems)
    is_complete = True
    for declaration in expansion.declarations:
        resource = check(declaration, expansion.modules, registry, problems)
        if resource is None:
            is_complete = False
        else:
            collection.add(resource, declaration)
    collection.compare_keys()
    # With a resource missing, "not found" would be said of things that are there but wrong.
    if is_complete and not problems.has_errors:
        edges = collection.edges(expansion)
        report_cycles([str(each.id) for each in collection.resources], edges, problems)
        if not problems.has_errors:
            resources = collection.in_order(edges)
            used = {each.type.module: each.type.version for each in resources}
            return Configuration(node.name, document_name(resources), resources, used), problems
    return None, problems


class _Collection:
    """Resources of one node in order of declaration, identical ones merged."""

    def __init__(self, problems: Diagnostics) -> None:
        self.resources: list[Resource] = []
        self._declared: list[list[Declaration]] = []
        self._by_id: dict[tuple[str, str, str], int] = {}
        self._problems = problems

    def add(self, resource: Resource, declaration: Declaration) -> None:
        """Take a resource, merge it with an equal one of another role, or refuse it."""
        index = self._by_id.get(resource.id.folded)
        if index is None:
            self._by_id[resource.id.folded] = len(self.resources)
            self.resources.append(resource)
            self._declared.append([declaration])
            return
        earlier = self.resources[index]
        if any(each.role == declaration.role for each in self._declared[index]):
            self._problems.error(
                "Resource is declared twice",
                f"'{resource.id}' is declared at {earlier.where} already.",
                declaration.name_where,
                "Give one of the two another name.",
            )
        elif difference := _difference(resource, earlier) or _depend_differently(
            declaration, self._declared[index][0]
        ):
            self._problems.error(
                "Roles declare a resource differently",
                f"'{resource.id}' of role '{declaration.role}' differs in {difference} from that of role "
                f"'{earlier.role}' at {earlier.where}.",
                declaration.name_where,
                "Make both the same, or give one of the two another name.",
            )
        else:
            self._declared[index].append(declaration)

    def compare_keys(self) -> None:
        """Refuse two resources of one type with the same key values: they would fight over one thing."""
        seen: dict[tuple[Any, ...], Resource] = {}
        for resource in self.resources:
            kind = resource.type
            values = tuple(str(resource.properties.get(key.name)).casefold() for key in kind.keys)
            if not values:
                continue
            earlier = seen.setdefault((kind.class_name, kind.module, values), resource)
            if earlier is not resource:
                keys = ", ".join(f"{key.name} '{resource.properties.get(key.name)}'" for key in kind.keys)
                first = resource.property_ranges.get(kind.keys[0].name, resource.where)
                self._problems.error(
                    "Two resources manage the same thing",
                    f"'{resource.id}' and '{earlier.id}' at {earlier.where} have the same {keys}.",
                    first,
                    "Keep one of the two.",
                )

    def edges(self, expansion: Expansion) -> list[Edge]:
        """Return declared and required edges."""
        declared = [
            Edge(source, target, reference.where, "dependsOn")
            for source, declarations in enumerate(self._declared)
            for reference in declarations[0].depends_on
            if (target := self._target(reference, self.resources[source], expansion)) is not None
        ]
        roles = {
            str(name): RoleNode(
                frozenset(
                    index
                    for index, declarations in enumerate(self._declared)
                    if any(each.role == name for each in declarations)
                ),
                {reference.name: reference.where for reference in expansion.requires[name]},
            )
            for name in expansion.roles
        }
        return [*declared, *required_edges(roles, declared)]

    def in_order(self, edges: list[Edge]) -> tuple[Resource, ...]:
        """Return the resources with their dependencies, each after everything it depends on."""
        targets: dict[int, dict[int, None]] = {}
        for edge in edges:
            targets.setdefault(edge.source, {})[edge.target] = None
        return tuple(
            replace(
                self.resources[index],
                depends_on=tuple(self.resources[target].id for target in targets.get(index, ())),
            )
            for index in order(len(self.resources), edges)
        )

    def _target(self, reference: Reference, source: Resource, expansion: Expansion) -> int | None:
        wanted = ResourceId.parse(reference.name)
        if wanted is None:
            self._problems.error(
                "Dependency has another form",
                f"'{reference.name}' is not of the form '[Type]Name'.",
                reference.where,
                did_you_mean(reference.name, [str(each.id) for each in self.resources]),
            )
            return None
        index = self._by_id.get(wanted.folded)
        if index is not None:
            return index
        left_out = [
            each
            for each in expansion.left_out
            if ResourceId(each.type_name, each.name).folded == wanted.folded
        ]
        if left_out:
            self._problems.error(
                "Dependency is left out",
                f"'{source.id}' depends on '{reference.name}', whose condition at {left_out[0].where} is false "
                "on this node.",
                reference.where,
                "Give both the same condition, or let the entry yield null where it does not apply.",
            )
        else:
            self._problems.error(
                "Dependency not found",
                f"'{source.id}' depends on '{reference.name}', which no role of this node declares.",
                reference.where,
                did_you_mean(reference.name, [str(each.id) for each in self.resources]),
            )
        return None


def _depend_differently(one: Declaration, other: Declaration) -> str:
    same = _targets(one) == _targets(other)
    return "" if same else "'dependsOn'"


def _targets(declaration: Declaration) -> set[str]:
    return {reference.name.casefold() for reference in declaration.depends_on}


def _difference(one: Resource, other: Resource) -> str:
    if one.type != other.type:
        return "its module"
    names = {
        name
        for name in {*one.properties, *other.properties}
        if one.properties.get(name) != other.properties.get(name)
    }
    return ", ".join(f"'{name}'" for name in sorted(names))
