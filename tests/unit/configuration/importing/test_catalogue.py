"""One resource of every type of the catalogue, every property set: compiled, imported and compiled again."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner import documents
from provisioner.addresses import NodeName, RoleName
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    RUN_AS_CREDENTIAL,
    CimType,
    EmbeddedClass,
    Property,
    Qualifier,
    ResourceKind,
    ResourceType,
)
from provisioner.configuration.check import Checker
from provisioner.configuration.emit.mof import emit_mof
from provisioner.configuration.importing.importer import import_documents
from provisioner.configuration.model import Configuration, Resource
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange
from provisioner.documents import plain
from provisioner.expressions import Expressions
from provisioner.inventory.model import MofEncoding
from provisioner.roles.model import Declaration, DeclaredProperty, Reference, Value
from tests.goldens.comparing import Sealed, emitted, resources_of

REGISTRY = Registry.builtin()
HERE = SourceRange(SourceFile("x.yaml", ""), 1, 1, 1, 1)
EVALUATE = Expressions({}).evaluate
#: What fits most properties of each type; texts hold what YAML, expressions and MOF each find special.
TEXT = 'C:\\a "b" {{ x }} {% # ü\n- no: '
SAMPLES: dict[CimType, list[Any]] = {
    CimType.STRING: [TEXT, "1.2.3.4", "S-1-5-18", "a"],
    CimType.BOOLEAN: [True],
    CimType.DATETIME: ["20250131120000.000000+060"],
    CimType.CHAR16: ["{"],
    CimType.REAL32: [1.5],
    CimType.REAL64: [-0.25],
}


def samples(prop: Property, kind: ResourceType, depth: int = 0) -> list[Any]:
    """Return values to try, in the author's form."""
    if prop.is_secret_lines:
        return []
    match prop.embedded_class:
        case "":
            words = list(prop.values or prop.value_map)
            plain_values = words[-1:] or SAMPLES.get(prop.type, [0, 1, 10, 100])
        case embedded if embedded == CREDENTIAL_CLASS:
            plain_values = [{"user": "DOM\\svc", "password": "env:DOM_SVC_PASSWORD"}]
        case embedded if embedded == PAIR_CLASS:
            return [{"a b": TEXT}] if not prop.is_array else [{"a b": TEXT, "{{": "2"}]
        case embedded:
            found = REGISTRY.embedded_class(kind.module, kind.version, embedded)
            plain_values = [nested(found, kind, depth)] if found and depth < 3 else []
    return [[each] for each in plain_values] if prop.is_array else plain_values


def nested(found: EmbeddedClass, kind: ResourceType, depth: int) -> dict[str, Any]:
    return {
        prop.name: tried[0]
        for prop in found.properties
        if prop.qualifier is not Qualifier.READ and (tried := samples(prop, kind, depth + 1))
    }


def checked(kind: ResourceType, properties: dict[str, Any]) -> Resource | None:
    declaration = Declaration(
        role=RoleName("r"),
        module=kind.module,
        type_name=kind.name,
        name="{{ one }}",
        properties=tuple(DeclaredProperty(Reference(name, HERE), Value(data, HERE)) for name, data in properties.items()),
        depends_on=(),
        where=HERE,
        kind_where=HERE,
        name_where=HERE,
    )  # fmt: skip
    problems = Diagnostics()
    resources = Checker(REGISTRY).check(declaration, {kind.module: kind.version}, problems)
    return resources[0] if resources and not problems.has_errors else None


def filled(kind: ResourceType) -> Resource | None:
    """Set as many properties as the compiler lets pass."""
    settable = [prop for prop in kind.properties if prop.qualifier is not Qualifier.READ]
    needed = [prop for prop in settable if prop.qualifier in {Qualifier.KEY, Qualifier.REQUIRED}]
    properties: dict[str, Any] = {prop.name: tried[0] for prop in needed if (tried := samples(prop, kind))}
    for prop in needed:  # one after the other: what the limits of a property refuse is replaced
        for value in samples(prop, kind):
            if checked(kind, {**properties, prop.name: value}):
                properties[prop.name] = value
                break
    if checked(kind, properties) is None:
        return None
    for prop in [*(each for each in settable if each not in needed), RUN_AS_CREDENTIAL]:
        for value in samples(prop, kind):
            if checked(kind, {**properties, prop.name: value}):
                properties[prop.name] = value
                break
    return checked(kind, properties)


def evaluated(data: Any) -> Any:
    match data:
        case str():
            return EVALUATE(data)
        case list():
            return [evaluated(each) for each in data]
        case dict():
            return {key: evaluated(value) for key, value in data.items()}
        case _:
            return data


def imported(resource: Resource) -> Resource:
    """Compile a resource, import the document, and compile what came of it."""
    kind = resource.type
    original = Configuration(NodeName("n1"), "C0", (resource,), {kind.module: kind.version})
    content = emit_mof(original, MofEncoding.UTF16, seal=Sealed()).content
    found, problems = import_documents([("n1.mof", content)], REGISTRY)
    assert found is not None, [each.render() for each in problems]
    [text] = [text for path, text in found.files.items() if path.parts[0] == "dsc_configs"]
    tree, problems = documents.parse(text, SourceFile("n1.dsc.yaml", text))
    assert tree is not None, list(problems)
    [entry] = plain(tree)["resources"]
    assert entry["type"] == f"{kind.module}/{kind.name}"
    assert EVALUATE(entry["name"]) == resource.id.name
    again = checked(kind, evaluated(entry["properties"]))
    assert again is not None
    return again


@pytest.mark.slow
def test_every_resource_type_survives_an_import() -> None:
    counts = {"types": 0, "filled": 0, "properties": 0}
    for kind in REGISTRY.resource_types():
        if kind.kind is ResourceKind.COMPOSITE:
            continue
        counts["types"] += 1
        resource = filled(kind)
        if resource is None:
            continue
        counts["filled"] += 1
        counts["properties"] += len(resource.properties)
        first, second = (
            resources_of(emitted(Configuration(NodeName("n1"), "C0", (each,), {kind.module: kind.version})))
            for each in (resource, imported(resource))
        )
        assert first == second, f"{kind.module} {kind.version} {kind.name}"
    # Limits and patterns keep a few types from being filled by samples.
    assert counts["filled"] > 0.9 * counts["types"] > 400
    assert counts["properties"] > 3000, counts
