"""Hold one declaration against its resource type: names, types, what is missing, what may not be set.

Everything the schema knows is checked here, because an LCM does not say it as well, and for values outside
a ValueMap says nothing at all (real LCM behaviour: "false success").

What comes out depends on the declaration, the version of its module and the catalogue, never on the node: a fleet
that shares a declaration has it checked once.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.addresses import ResourceId
from provisioner.catalogue.schema import Qualifier, ResourceKind, module_version
from provisioner.configuration.between.uniting import check_united, unite
from provisioner.configuration.composites import members
from provisioner.configuration.credentials import check_placeholders
from provisioner.configuration.digest import ResourceDigests
from provisioner.configuration.embedded import Surroundings, fill
from provisioner.configuration.model import Resource
from provisioner.configuration.recent import Recent
from provisioner.configuration.shapes import Shapes
from provisioner.configuration.values import UNSPEAKABLE
from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.roles.recent import Recent as RecentByValue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.catalogue.registry import Registry
    from provisioner.catalogue.schema import ResourceType
    from provisioner.configuration.shapes import Shape
    from provisioner.diagnostics import Diagnostic
    from provisioner.roles.model import Declaration, Value

#: Longest name of a resource. Nobody says what an LCM takes; names stand in every message, and these are long
#: enough.
LONGEST_NAME = 1024

#: The resources of a node in their order, by their place in the declaration, with what each depends on.
Layout = tuple[tuple[int, tuple[ResourceId, ...]], ...]
_MOST_LAYOUTS = 64

#: What a declaration became, and what was said about it.
_Checked = tuple[tuple[Resource, ...] | None, tuple["Diagnostic", ...]]


class Checker:
    """Checks declarations against one registry and remembers the latest.

    Share one between the nodes of a compilation: the same declaration then costs a look-up, and gives the same
    resources, whose text need not be written again either.
    """

    def __init__(self, registry: Registry, *, remembered: int = 4096) -> None:
        """Remember up to ``remembered`` declarations; each holds on to its resources."""
        self.shapes = Shapes(registry)
        self.digests = ResourceDigests()
        self._registry = registry
        self._types: dict[tuple[str, str, str], ResourceType | None] = {}
        self._checked: Recent[_Checked] = Recent(remembered)
        self._placed: Recent[Resource] = Recent(remembered)
        self._united: Recent[tuple[Resource, Resource]] = Recent(remembered)
        #: The graphs of nodes, by everything they follow from.
        self.layouts: RecentByValue[Layout] = RecentByValue(_MOST_LAYOUTS)

    def check(
        self, declaration: Declaration, modules: Mapping[str, str], problems: Diagnostics
    ) -> tuple[Resource, ...] | None:
        """Return the resources a declaration stands for, without dependencies yet; None when anything is wrong.

        It is one, or one for each member of a composite of the Set kind.

        Args:
            declaration: What a role wants.
            modules: The module versions the node's roles agreed on.
            problems: Gets everything that is wrong.
        """
        version = _version(declaration.module, modules)
        known = self._checked.get(declaration, version) if declaration.may_recur else None
        if known is None:
            found = Diagnostics()
            resources = self._check(declaration, version, modules, found)
            known = (resources, tuple(found))
            # Which modules are listed is part of these messages, so another node may need other words.
            if version is not None and declaration.may_recur:
                self._checked.put(declaration, version, known)
        if known[1]:
            problems.extend(known[1])
        return known[0]

    def united(self, first: Resource, other: Resource, names: frozenset[str]) -> Resource:
        """Return one resource for two declarations of it: the same object wherever the two are the same."""
        if not names:
            return first
        known = self._united.get(first, (id(other), names))
        if known is not None and known[0] is other:
            return known[1]
        found = unite(first, other, names)
        if first.may_recur and other.may_recur:
            self._united.put(first, (id(other), names), (other, found))
        return found

    def placed(self, resource: Resource, depends_on: tuple[ResourceId, ...]) -> Resource:
        """Return a resource with its dependencies: the same object on every node where they are the same."""
        if not depends_on:
            return resource
        if not resource.may_recur:
            return replace(resource, depends_on=depends_on)
        found = self._placed.get(resource, depends_on)
        if found is None:
            found = replace(resource, depends_on=depends_on)
            self._placed.put(resource, depends_on, found)
        return found

    def _check(
        self, declaration: Declaration, version: str | None, modules: Mapping[str, str], problems: Diagnostics
    ) -> tuple[Resource, ...] | None:
        kind = self._resource_type(declaration, version, modules, problems)
        if kind is None:
            return None
        _check_name(declaration, problems)
        if kind.kind is ResourceKind.COMPOSITE and not kind.expands_to:
            problems.error(
                "Composite cannot be compiled here",
                f"{kind.module}/{kind.name} is a composite: its body is PowerShell, which is not run here.",
                declaration.kind_where,
                f"Declare the resources it consists of, each with \"within: '[{kind.name}]{declaration.name}'\"; "
                "'provision import' writes them from a MOF that Windows PowerShell compiled.",
            )
            return None
        check_united(declaration, kind, self.shapes.of(kind), problems)
        resource = self._filled(declaration, kind, version or kind.version, problems)
        if problems.has_errors:
            return None
        if kind.expands_to:
            member = self._registry.resource_type(kind.module, kind.expands_to, kind.version)
            if member is None:
                raise AssertionError(f"{kind.module} {kind.version} lacks {kind.expands_to}")
            return members(resource, member, self.shapes.of(member), problems)
        return (resource,)

    def _filled(
        self, declaration: Declaration, kind: ResourceType, version: str, problems: Diagnostics
    ) -> Resource:
        shape = self.shapes.of(kind)
        united = frozenset(each.name.casefold() for each in declaration.unite)
        around = Surroundings(self.shapes, kind, problems, united)
        entries = [(each.name, each.value) for each in declaration.properties]
        properties, ranges = fill(shape, entries, around)
        resource_id = ResourceId(kind.name, declaration.name, declaration.within)
        for slot in shape.needed:
            if slot.prop.name not in ranges:
                is_key = slot.prop.qualifier is Qualifier.KEY
                problems.error(
                    "Missing property",
                    f"'{resource_id}' has no value for '{slot.prop.name}', which "
                    f"{'identifies the resource' if is_key else 'is required'}.",
                    declaration.where,
                    f"Add '{slot.prop.name}' below 'properties'.",
                )
        for slot in shape.needed_on_node:
            if slot.prop.name not in ranges:
                problems.warning(
                    "Property is needed on the node",
                    f"'{resource_id}' has no value for '{slot.prop.name}': a document may do without, and the "
                    "resource refuses to run.",
                    declaration.where,
                    f"Add '{slot.prop.name}' below 'properties'.",
                )
        if shape.secret_lines:
            self._check_secrets(declaration, shape, problems)
        return Resource(
            id=resource_id,
            type=kind,
            properties=properties,
            depends_on=(),
            where=declaration.where,
            property_ranges=ranges,
            role=declaration.role,
            version=module_version(version),
            module=declaration.module,
            may_recur=declaration.may_recur,
        )

    def _check_secrets(self, declaration: Declaration, shape: Shape, problems: Diagnostics) -> None:
        values: dict[str, Value] = {}
        for declared in declaration.properties:
            if slot := shape.slot(declared.name.name):
                values[slot.prop.name] = declared.value
        check_placeholders(values.get("Contents"), values.get(shape.secret_lines), problems)

    def _resource_type(
        self, declaration: Declaration, version: str | None, modules: Mapping[str, str], problems: Diagnostics
    ) -> ResourceType | None:
        if not declaration.type_name:
            self._report_bare_name(declaration, modules, problems)
            return None
        if version is None:
            problems.error(
                "Module is not listed by the role",
                f"The role '{declaration.role}' does not list the module '{declaration.module}'.",
                declaration.kind_where,
                did_you_mean(declaration.module, modules)
                or "Add it with its version below 'modules' in role.yaml.",
            )
            return None
        key = declaration.module, declaration.type_name, version
        if key not in self._types:
            self._types[key] = self._registry.resource_type(*key)
        kind = self._types[key]
        if kind is None:
            module = self._registry.module(declaration.module, version)
            known = [each.name for each in module.resources] if module else []
            problems.error(
                "Unknown resource",
                f"The module {declaration.module} {version} has no resource '{declaration.type_name}'.",
                declaration.kind_where,
                did_you_mean(declaration.type_name, known),
            )
        return kind

    def _report_bare_name(
        self, declaration: Declaration, modules: Mapping[str, str], problems: Diagnostics
    ) -> None:
        """Say which modules have a resource that was written without one, those of the role before all others."""
        name = declaration.module
        every = sorted({(kind.module, kind.name) for kind in self._registry.resource_types()})
        # A misspelled name has the modules of the name that is meant.
        near = difflib.get_close_matches(name.casefold(), (kind.casefold() for _, kind in every), n=1)
        having = [each for each in every if each[1].casefold() in near]
        listed = [each for each in having if each[0] in modules]
        words = " or ".join(f"'{module}/{kind}'" for module, kind in listed or having)
        problems.error(
            "Resource type has another form",
            f"'{name}' is not of the form Module/Resource.",
            declaration.kind_where,
            f"Write {words}." if words else "Write it like 'PSDscResources/Service'.",
        )


def check(
    declaration: Declaration, modules: Mapping[str, str], registry: Registry, problems: Diagnostics
) -> tuple[Resource, ...] | None:
    """Check a single declaration; see ``Checker.check``."""
    return Checker(registry, remembered=0).check(declaration, modules, problems)


def _version(module: str, modules: Mapping[str, str]) -> str | None:
    found = modules.get(module)
    if found is not None:
        return found
    wanted = module.casefold()
    return next((version for name, version in modules.items() if name.casefold() == wanted), None)


def _check_name(declaration: Declaration, problems: Diagnostics) -> None:
    """Names are free, as those of an LCM are, but have to survive the way there and back."""
    name = declaration.name
    if len(name) > LONGEST_NAME:
        problems.error(
            "Resource name is too long",
            f"The name of a resource has up to {LONGEST_NAME} characters, and this has {len(name)}.",
            declaration.name_where,
        )
    found = UNSPEAKABLE.search(name)
    if found or "\n" in name or "\r" in name:
        char = found[0] if found else "\n"
        problems.error(
            "Resource name holds a control character",
            f"The name of a resource is one line of text, and this contains the character U+{ord(char):04X}.",
            declaration.name_where,
        )
    if "::[" in name:
        problems.error(
            "Resource name reads like a composite",
            f"In '{name}', '::[' would be read as the start of the composite the resource belongs to.",
            declaration.name_where,
            "Write the composite under 'within', beside 'name'.",
        )
