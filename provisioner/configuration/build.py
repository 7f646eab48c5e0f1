"""Make one checked configuration of everything a node's roles declare.

All problems come at once: properties of every resource first, then what only shows between resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.addresses import ResourceId
from provisioner.configuration.between.dependencies import Targets
from provisioner.configuration.between.graph import Edge, RoleNode, order, report_cycles, required_edges
from provisioner.configuration.between.uniting import content, united_names
from provisioner.configuration.check import Checker
from provisioner.configuration.digest import document_name
from provisioner.configuration.model import Configuration, Resource
from provisioner.configuration.reboots import expects_reboot
from provisioner.configuration.rules.registry import apply_rules
from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.roles.model import Reference

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from provisioner.addresses import RoleName
    from provisioner.catalogue.registry import Registry
    from provisioner.configuration.check import Layout
    from provisioner.configuration.shapes import Shapes
    from provisioner.inventory.model import Node
    from provisioner.roles.model import Declaration, Expansion

#: Classes several resources may have with the same key: each waits for something of its own (mof-format, 7).
_SHARED_KEYS = frozenset(
    {"msft_waitforall", "msft_waitforany", "msft_waitforsome", "msft_partialconfiguration"}
)


def build(
    node: Node, expansion: Expansion, registry: Registry, checker: Checker | None = None
) -> tuple[Configuration | None, Diagnostics]:
    """Check the declarations of one node and put them in order.

    Args:
        node: Whose they are.
        expansion: The declarations.
        registry: The schemas.
        checker: Remembers declarations that other nodes have too; it was made for the same registry.

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
    checker = checker or Checker(registry)
    collection = _Collection(checker, problems)
    is_complete = True
    for declaration in expansion.declarations:
        resources = checker.check(declaration, expansion.modules, problems)
        if resources is None:
            is_complete = False
        else:
            collection.take(resources, declaration)
    collection.compare_keys()
    apply_rules(node, collection.resources, problems)
    # With a resource missing, "not found" would be said of things that are there but wrong.
    if is_complete and not problems.has_errors:
        resources = collection.in_order(expansion)
        if resources is not None:
            used = {each.type.module: each.version for each in resources}
            name = document_name(resources, checker.digests)
            return Configuration(node.name, name, resources, used, expects_reboot(resources)), problems
    return None, problems


class _Collection:
    """Resources of one node in order of declaration, identical ones merged."""

    def __init__(self, checker: Checker, problems: Diagnostics) -> None:
        self.resources: list[Resource] = []
        self._declared: list[list[Declaration]] = []
        self._by_id: dict[tuple[str, str, str], int] = {}
        self._checker = checker
        self._problems = problems

    def take(self, resources: tuple[Resource, ...], declaration: Declaration) -> None:
        """Take what one declaration stands for."""
        for resource in resources:
            if not self._add(resource, declaration):
                return  # The members of a composite share what is wrong.

    def _add(self, resource: Resource, declaration: Declaration) -> bool:
        """Take a resource, make it one with that of another role, or refuse it."""
        folded = resource.id.folded
        index = self._by_id.get(folded)
        if index is None:
            self._by_id[folded] = len(self.resources)
            self.resources.append(resource)
            self._declared.append([declaration])
            return True
        earlier = self.resources[index]
        if any(each.role == declaration.role for each in self._declared[index]):
            self._problems.error(
                "Resource is declared twice",
                f"'{resource.id}' is declared at {earlier.where} already.",
                declaration.name_where,
                "Give one of the two another name.",
            )
            return False
        united = united_names(declaration, self._declared[index])
        difference = _difference(resource, earlier, united)
        if not (difference or united):
            difference = _depend_differently(declaration, self._declared[index][0])
        if difference:
            self._problems.error(
                "Roles declare a resource differently",
                f"'{resource.id}' of role '{declaration.role}' differs in {difference} from that of role "
                f"'{earlier.role}' at {earlier.where}.",
                declaration.name_where,
                "Make both the same, or give one of the two another name."
                + (" 'unite' in both makes one list of two." if _lists(resource, earlier, united) else ""),
            )
            return False
        self.resources[index] = self._checker.united(earlier, resource, united)
        self._declared[index].append(declaration)
        return True

    def compare_keys(self) -> None:
        """Refuse two resources of one class with the same key values: they would fight over one thing.

        An LCM refuses them even when they are the same in everything else (real LCM behaviour). It goes by the
        class, and PSDscResources has classes of the in-box module.
        """
        shapes: Shapes = self._checker.shapes
        seen: dict[tuple[Any, ...], Resource] = {}
        for resource in self.resources:
            kind = resource.type
            names = shapes.of(kind).keys
            if not names or kind.class_name.casefold() in _SHARED_KEYS:
                continue
            given = resource.properties
            values = tuple(str(given.get(name)).casefold() for name in names)
            earlier = seen.setdefault((kind.class_name.casefold(), *values), resource)
            if earlier is not resource:
                keys = ", ".join(f"{name} '{given.get(name)}'" for name in names)
                self._problems.error(
                    "Two resources manage the same thing",
                    f"'{resource.id}' and '{earlier.id}' at {earlier.where} have the same {keys}.",
                    resource.property_ranges.get(names[0], resource.where),
                    "Keep one of the two.",
                )

    def in_order(self, expansion: Expansion) -> tuple[Resource, ...] | None:
        """Return the resources with their dependencies, each after everything it depends on.

        None when a dependency names nothing, or leads round in a circle; the problem is recorded.
        """
        # Nodes of a fleet have the same graph far more often than the same values.
        key = self._graph_key(expansion)
        layout = self._checker.layouts.get(key)
        if layout is None:
            layout = self._layout(expansion)
            if layout is None:
                return None
            self._checker.layouts.put(key, layout)
        return tuple(self._checker.placed(self.resources[index], depends_on) for index, depends_on in layout)

    def _graph_key(self, expansion: Expansion) -> Hashable:
        """Return everything the order of the resources follows from."""
        required = tuple(
            tuple(reference.name for reference in expansion.requires[name]) for name in expansion.roles
        )
        nodes = tuple(
            (
                resource.id,
                tuple(reference.name for reference in _references(declarations)),
                tuple(each.role for each in declarations),
            )
            for resource, declarations in zip(self.resources, self._declared, strict=True)
        )
        undone = tuple(
            tuple(reference.name for reference in _undone_before(name, expansion))
            for name in expansion.decommissioned
        )
        return expansion.roles, required, expansion.decommissioned, undone, nodes

    def _layout(self, expansion: Expansion) -> Layout | None:
        edges = self._edges(expansion)
        if self._problems.has_errors:
            return None
        placed = order(len(self.resources), edges)
        if placed is None:
            report_cycles([str(each.id) for each in self.resources], edges, self._problems)
            return None
        targets: dict[int, dict[int, None]] = {}
        for edge in edges:
            targets.setdefault(edge.source, {})[edge.target] = None
        return tuple(
            (index, tuple(self.resources[target].id for target in targets.get(index, ()))) for index in placed
        )

    def _edges(self, expansion: Expansion) -> list[Edge]:
        """Return declared and required edges."""
        targets = Targets(self.resources)
        declared = [
            Edge(source, target, reference.where, "dependsOn")
            for source, declarations in enumerate(self._declared)
            for reference in _references(declarations)
            for target in self._find(targets, reference, self.resources[source], expansion)
        ]
        roles = {str(name): self._role(name, expansion.requires[name]) for name in expansion.roles}
        undone = {
            str(name): self._role(name, _undone_before(name, expansion)) for name in expansion.decommissioned
        }
        return [
            *declared,
            *required_edges(roles, declared, "role '{0}' requires role '{1}'"),
            *required_edges(undone, declared, "role '{1}' requires role '{0}', and is undone first"),
        ]

    def _role(self, name: RoleName, requires: Iterable[Reference]) -> RoleNode:
        """Return a role as the graph sees it: what several roles declare is the first one's own."""
        declaring = [
            (index, declarations[0].role)
            for index, declarations in enumerate(self._declared)
            if any(each.role == name for each in declarations)
        ]
        return RoleNode(
            frozenset(index for index, _ in declaring),
            frozenset(index for index, first in declaring if first == name),
            {reference.name: reference.where for reference in requires},
        )

    def _find(
        self, targets: Targets, reference: Reference, source: Resource, expansion: Expansion
    ) -> tuple[int, ...]:
        """Return what a dependency names; the problem is recorded when that is nothing or several things."""
        found = targets.find(reference.name, source)
        if found:
            return found
        wanted = ResourceId.parse(reference.name)
        known = [str(each.id) for each in self.resources]
        if wanted is None:
            self._problems.error(
                "Dependency has another form",
                f"'{reference.name}' is not of the form '[Type]Name'.",
                reference.where,
                did_you_mean(reference.name, known),
            )
            return ()
        if several := targets.candidates(reference.name):
            self._problems.error(
                "Dependency is ambiguous",
                f"'{source.id}' depends on '{reference.name}', and that can be "
                f"{' or '.join(repr(known[index]) for index in several)}.",
                reference.where,
                "Write the whole name of the one that is meant.",
            )
            return ()
        left_out = [
            each
            for each in expansion.left_out
            if ResourceId(each.type_name, each.name).folded[:2] == wanted.folded[:2]
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
                did_you_mean(reference.name, known),
            )
        return ()


def _depend_differently(one: Declaration, other: Declaration) -> str:
    same = _targets(one) == _targets(other)
    return "" if same else "'dependsOn'"


def _targets(declaration: Declaration) -> set[str]:
    return {reference.name.casefold() for reference in declaration.depends_on}


def _references(declarations: Iterable[Declaration]) -> list[Reference]:
    """Return what the declarations of one resource depend on, each once."""
    found: dict[str, Reference] = {}
    for declaration in declarations:
        for reference in declaration.depends_on:
            found.setdefault(reference.name.casefold(), reference)
    return list(found.values())


def _undone_before(name: RoleName, expansion: Expansion) -> list[Reference]:
    """Return the roles that require one, all of them undone: nothing goes before what stands on it."""
    return [
        Reference(str(other), reference.where)
        for other in expansion.decommissioned
        for reference in expansion.requires[other]
        if reference.name == name
    ]


def _difference(one: Resource, other: Resource, united: frozenset[str]) -> str:
    """Name what two declarations of one resource do not have in common, united lists apart."""
    if one.type != other.type:
        return "its module"
    names = {
        name
        for name in {*one.properties, *other.properties}
        if name.casefold() not in united
        and content(one.properties.get(name)) != content(other.properties.get(name))
    }
    return ", ".join(f"'{name}'" for name in sorted(names))


def _lists(one: Resource, other: Resource, united: frozenset[str]) -> bool:
    """Whether what differs are lists, which could be united, and nothing else."""
    differing = [
        (ours, theirs)
        for name in {*one.properties, *other.properties}
        if name.casefold() not in united
        and content(ours := one.properties.get(name)) != content(theirs := other.properties.get(name))
    ]
    return bool(differing) and all(isinstance(each, tuple) for pair in differing for each in pair)
