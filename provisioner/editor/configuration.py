"""The schema of ``dsc_configs/*.dsc.yaml``: the resource types there are, and the properties of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.catalogue.registry import IN_BOX_MODULE
from provisioner.catalogue.schema import RUN_AS_CREDENTIAL, ResourceKind
from provisioner.editor.fragments import (
    EXPRESSION_SCHEMA,
    Schema,
    any_case,
    closed,
    document,
    list_of,
    nullable,
    suggested,
    without_case,
)
from provisioner.editor.properties import DEFINITIONS, object_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.catalogue.registry import Registry
    from provisioner.catalogue.schema import Module, ResourceType

_SCALAR: Final[Schema] = {"type": ["string", "number", "boolean"]}
_ANY: Final[Schema] = {}


def used_modules(uses: Iterable[tuple[str, str]], registry: Registry) -> tuple[Module, ...]:
    """Return the modules that roles use, and the one every Windows has; what the catalogue lacks is left out."""
    found: dict[tuple[str, str], Module] = {}
    for name, version in (*uses, (IN_BOX_MODULE, None)):
        module = registry.module(name, version)
        if module:
            found.setdefault((module.name, module.version), module)
    return tuple(found[key] for key in sorted(found))


def all_modules(uses: Iterable[tuple[str, str]], registry: Registry) -> tuple[Module, ...]:
    """Return the modules that roles use, and the newest version of every other, a release where there is one."""
    used = used_modules(uses, registry)
    others = set(registry.modules) - {module.name for module in used}
    found = [*used, *filter(None, (registry.module(name) for name in others))]
    return tuple(sorted(found, key=lambda module: (module.name, module.version)))


def configuration_schema(modules: Iterable[Module], registry: Registry) -> Schema:
    """Return the schema of a configuration file that may use these modules.

    A type that several versions have takes what any of them takes.
    """
    known: dict[str, list[ResourceType]] = {}
    for module in modules:
        for each in module.resources:
            if each.kind is not ResourceKind.COMPOSITE or each.expands_to:
                known.setdefault(f"{module.name}/{each.name}", []).append(each)
    definitions: Schema = dict(DEFINITIONS)
    cases = [_case(name, versions, registry, definitions) for name, versions in sorted(known.items())]
    summaries = [versions[-1].summary for _, versions in sorted(known.items())]
    definitions["resource"] = _resource(sorted(known), summaries, cases)
    return document(
        "Configuration of provisioner",
        "Resources that a role declares: dsc_configs/<name>.dsc.yaml.",
        **closed(
            {
                "$schema": _ANY,
                "contentVersion": _ANY,
                "metadata": _ANY,
                "resources": {
                    "type": "array",
                    "items": {"$ref": "#/definitions/resource"},
                    "description": "What shall be on the node; 'dependsOn' decides what comes first.",
                },
            },
            ["resources"],
        ),
        definitions=definitions,
    )


def _resource(types: list[str], summaries: list[str], cases: list[Schema]) -> Schema:
    entries = {
        "anyOf": [{"type": ["string", "null"]}, list_of({**_SCALAR, "type": [*_SCALAR["type"], "null"]})]
    }
    properties: Schema = {
        "name": {
            "type": "string",
            "minLength": 1,
            "description": "Name of the resource, unique among those of its type.",
        },
        "type": {
            **suggested(
                types, {"type": "string", "pattern": without_case(types, or_expression=False)}, summaries
            ),
            "description": "Module/Resource.",
        },
        "properties": {
            "type": ["object", "null"],
            "description": "Properties of the resource type. A value that is null counts as not set.",
        },
        "dependsOn": {
            **entries,
            "description": "'[Type]Name' of resources that come first, one or a list.",
        },
        "condition": {
            **nullable(_SCALAR),
            "description": "Whether the resource is wanted: true, false or an expression.",
        },
        "forEach": {
            "anyOf": [{"type": "array"}, EXPRESSION_SCHEMA, {"type": "null"}],
            "description": "A list; the resource is declared once per item, which expressions see as 'item'.",
        },
        "within": {
            **nullable(_SCALAR),
            "description": "'[Composite]name' of the composite that this resource is a part of.",
        },
        "unite": {
            **list_of({"type": "string"}),
            "description": "Properties whose lists become one where several roles declare this resource.",
        },
        "options": {
            **nullable(
                closed({"service": {"type": "string"}, "release": {"type": "string"}}, ["service", "release"])
            ),
            "description": "Which service of which release reads the file; its options are looked at.",
        },
        "metadata": _ANY,
    }
    return closed(properties, ["name", "type"], allOf=cases)


def _case(name: str, versions: list[ResourceType], registry: Registry, definitions: Schema) -> Schema:
    """Return the part of a resource's schema that counts for one type."""
    references: list[Schema] = []
    needs = True
    for each in versions:
        key = name if len(versions) == 1 else f"{name}@{each.version}"
        definitions[key] = _type(each, _pointer(key), registry, definitions)
        references.append({"$ref": _pointer(key)})
        needs = needs and "allOf" in definitions[key]
    properties = references[0] if len(references) == 1 else {"anyOf": references}
    body: Schema = {"properties": {"properties": properties}}
    if needs:
        body["required"] = ["properties"]
    else:
        body["properties"]["properties"] = {"anyOf": [properties, {"type": "null"}]}
    condition = {"type": "string", "pattern": f"^{any_case(name)}$"}
    return {"if": {"properties": {"type": condition}, "required": ["type"]}, "then": body}


def _type(kind: ResourceType, pointer: str, registry: Registry, definitions: Schema) -> Schema:
    """Return the schema of a type's properties; the classes it embeds go to ``definitions``."""

    def embedded(name: str) -> Schema:
        key = f"{kind.module}@{kind.version}/{name.casefold()}"
        if key not in definitions:
            found = registry.embedded_class(kind.module, kind.version, name)
            definitions[key] = {"type": "object"}  # a class may hold itself
            if found:
                definitions[key] = object_schema(_pointer(key), found.properties, embedded)
        return {"$ref": _pointer(key)}

    schema = object_schema(pointer, (*kind.properties, RUN_AS_CREDENTIAL), embedded)
    return {**schema, "description": kind.summary} if kind.summary else schema


def _pointer(key: str) -> str:
    """Return the reference to a definition: a JSON pointer in a URI."""
    escaped = key.replace("~", "~0").replace("/", "~1").replace("@", "%40")
    return f"#/definitions/{escaped}"
