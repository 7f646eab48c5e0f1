"""Hold one declaration against its resource type: names, types, what is missing, what may not be set.

Everything the schema knows is checked here, because an LCM does not say it as well, and for values outside
a ValueMap says nothing at all (real LCM behaviour: "false success").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from provisioner.addresses import ResourceId
from provisioner.catalogue.registry import COMMON_PROPERTIES
from provisioner.catalogue.schema import Qualifier
from provisioner.configuration.model import Resource
from provisioner.configuration.values import convert
from provisioner.diagnostics import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provisioner.catalogue.registry import Registry
    from provisioner.catalogue.schema import ResourceType
    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.roles.model import Declaration, DeclaredProperty

#: Names PowerShell accepts behind ``[Type]`` in DependsOn (mof-format, 3.4). Other names are legal in a
#: document, but nothing could depend on them; roles depend on each other's resources, so none may have one.
_DEPENDABLE = re.compile(r"\w[\w .\\-]*")


def check(
    declaration: Declaration, modules: Mapping[str, str], registry: Registry, problems: Diagnostics
) -> Resource | None:
    """Return the resource, without dependencies yet; None when anything is wrong with it.

    Args:
        declaration: What a role wants.
        modules: The module versions the node's roles agreed on.
        registry: The schemas.
        problems: Gets everything that is wrong.
    """
    kind = _resource_type(declaration, modules, registry, problems)
    if kind is None:
        return None
    before = len(problems)
    resource_id = ResourceId(kind.name, declaration.name, declaration.within)
    if not _DEPENDABLE.fullmatch(declaration.name):
        problems.error(
            "Resource name cannot be depended on",
            f"'{declaration.name}' is not a name other resources can depend on.",
            declaration.name_where,
            "Start with a letter, a digit or '_', and use only these, spaces, '.', '\\' and '-'.",
        )
    properties, ranges = _properties(declaration, kind, resource_id, problems)
    if len(problems) > before:
        return None
    return Resource(
        id=resource_id,
        type=kind,
        properties=properties,
        depends_on=(),
        where=declaration.where,
        property_ranges=ranges,
        role=declaration.role,
        version=kind.version,
    )


def _resource_type(
    declaration: Declaration, modules: Mapping[str, str], registry: Registry, problems: Diagnostics
) -> ResourceType | None:
    versions = {name.casefold(): version for name, version in modules.items()}
    version = versions.get(declaration.module.casefold())
    if version is None:
        problems.error(
            "Module is not listed by the role",
            f"The role '{declaration.role}' does not list the module '{declaration.module}'.",
            declaration.kind_where,
            did_you_mean(declaration.module, modules)
            or "Add it with its version below 'modules' in role.yaml.",
        )
        return None
    kind = registry.resource_type(declaration.module, declaration.type_name, version)
    if kind is None:
        module = registry.module(declaration.module, version)
        known = [each.name for each in module.resources] if module else []
        problems.error(
            "Unknown resource",
            f"The module {declaration.module} {version} has no resource '{declaration.type_name}'.",
            declaration.kind_where,
            did_you_mean(declaration.type_name, known),
        )
    return kind


def _properties(
    declaration: Declaration, kind: ResourceType, resource_id: ResourceId, problems: Diagnostics
) -> tuple[dict[str, Any], dict[str, SourceRange]]:
    found: dict[str, Any] = {}
    ranges: dict[str, SourceRange] = {}
    for declared in declaration.properties:
        prop = kind.property(declared.name.name)
        if prop is None or not prop.is_settable:
            _refuse(declared, kind, problems)
            continue
        if prop.name in ranges:
            problems.error(
                "Property is set twice",
                f"'{prop.name}' is set at {ranges[prop.name]} already; names ignore case.",
                declared.name.where,
            )
            continue
        ranges[prop.name] = declared.value.where
        found[prop.name] = convert(prop, declared.value, problems)
    for prop in kind.properties:
        if prop.qualifier in {Qualifier.KEY, Qualifier.REQUIRED} and prop.name not in ranges:
            reason = "identifies the resource" if prop.qualifier is Qualifier.KEY else "is required"
            problems.error(
                "Missing property",
                f"'{resource_id}' has no value for '{prop.name}', which {reason}.",
                declaration.where,
                f"Add '{prop.name}' below 'properties'.",
            )
    in_schema_order = {prop.name: found[prop.name] for prop in kind.properties if prop.name in found}
    return in_schema_order, ranges


def _refuse(declared: DeclaredProperty, kind: ResourceType, problems: Diagnostics) -> None:
    name = declared.name.name
    common = {each.casefold(): each for each in COMMON_PROPERTIES}
    prop = kind.property(name)
    if prop is not None:
        problems.error(
            "Property cannot be set",
            f"'{prop.name}' of {kind.name} can only be read.",
            declared.name.where,
            "Remove it.",
        )
    elif name.casefold() == "dependson":
        problems.error(
            "Property cannot be set",
            "'DependsOn' is no property of a resource type.",
            declared.name.where,
            "Write 'dependsOn' beside 'properties'.",
        )
    elif name.casefold() == "psdscrunascredential":
        problems.error(
            "Property takes a credential",
            "'PsDscRunAsCredential' takes a credential, and a document without encryption must not hold one.",
            declared.name.where,
            "Leave it out: without it a resource runs as the node's own account.",
        )
    elif name.casefold() in common:
        problems.error(
            "Property cannot be set",
            f"'{common[name.casefold()]}' is written by the compiler.",
            declared.name.where,
            "Remove it.",
        )
    else:
        problems.error(
            "Unknown property",
            f"The resource {kind.module}/{kind.name} has no property '{name}'.",
            declared.name.where,
            did_you_mean(name, [prop.name for prop in kind.properties if prop.is_settable]),
        )
