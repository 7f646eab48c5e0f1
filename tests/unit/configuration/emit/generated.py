"""Configurations out of the whole catalogue, made by hypothesis: any type, any values its schema allows."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from provisioner.addresses import NodeName, ResourceId, SecretRef
from provisioner.catalogue.schema import (
    PAIR_CLASS,
    CimType,
    EmbeddedClass,
    Property,
    Qualifier,
    ResourceKind,
    ResourceType,
)
from provisioner.configuration.model import Configuration, Credential, Instance, Resource
from tests.unit.configuration.builders import REGISTRY, at

#: What check() lets through: no control characters but tab and line ends, no half of a surrogate pair.
TEXT = st.text(
    st.one_of(
        st.characters(codec="utf-16", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
        st.sampled_from("'\"\u2018\u2019\u201a\u201b\u201c\u201d\u201e`$[]{}()\\/;,#\n\t \r"),
    ),
    max_size=20,
)
REFERENCES = st.builds(SecretRef, st.just("env"), st.sampled_from(["ADMIN", "DB_PASSWORD", "9", "_"]))


@cache
def types() -> list[ResourceType]:
    """Every resource type a document can hold."""
    return [each for each in REGISTRY.resource_types() if each.kind is not ResourceKind.COMPOSITE]


def credentials() -> st.SearchStrategy[Credential]:
    lines = st.dictionaries(st.sampled_from(["a", "b"]), REFERENCES, min_size=1)
    return st.one_of(
        st.builds(lambda user, password: Credential(user, password, at()), TEXT, REFERENCES),
        st.builds(lambda secrets: Credential("secrets", None, at(), secrets), lines),
    )


def numbers(kind: CimType) -> st.SearchStrategy[Any]:
    lowest, highest = kind.integer_range or (0, 0)
    return st.integers(lowest, highest)


def single(prop: Property, kind: ResourceType, depth: int) -> st.SearchStrategy[Any]:
    if prop.embedded_class == "MSFT_Credential":
        return credentials()
    if prop.embedded_class:
        found = REGISTRY.embedded_class(kind.module, kind.version, prop.embedded_class)
        return instances(found, kind, depth) if found else st.nothing()
    if prop.value_map:
        words = st.sampled_from(prop.value_map)
        return words.map(int) if prop.type.integer_range else words
    match prop.type:
        case CimType.BOOLEAN:
            return st.booleans()
        case CimType.REAL32 | CimType.REAL64:
            return st.floats(allow_nan=False, allow_infinity=False, width=32)
        case CimType.DATETIME:
            return st.sampled_from(["20250131120000.000000+000", "20250131120000.500000-330"])
        case CimType.CHAR16:
            return st.sampled_from("cä'\"")
        case each if each.integer_range:
            return numbers(each)
        case _:
            return TEXT


def instances(found: EmbeddedClass, kind: ResourceType, depth: int) -> st.SearchStrategy[Instance]:
    chosen = [each for each in found.properties if each.is_settable and (depth or not each.embedded_class)]
    if not chosen:
        return st.nothing()
    optional = {each.name: value(each, kind, depth - 1) for each in chosen}
    # At least one: what has no properties at all nobody writes.
    first = chosen[0].name
    return st.fixed_dictionaries({first: optional.pop(first)}, optional=optional).map(
        lambda properties: Instance(found.name, properties)
    )


def value(prop: Property, kind: ResourceType, depth: int = 3) -> st.SearchStrategy[Any]:
    if prop.embedded_class == PAIR_CLASS:
        pairs = st.dictionaries(TEXT, TEXT, max_size=3).filter(
            lambda found: len({key.casefold() for key in found}) == len(found)
        )
        return pairs.map(
            lambda found: tuple(
                Instance(PAIR_CLASS, {"Key": key, "Value": text}) for key, text in found.items()
            )
        )
    one = single(prop, kind, depth)
    return st.lists(one, min_size=1, max_size=3).map(tuple) if prop.is_array else one


@st.composite
def resources(draw: st.DrawFn, kind: ResourceType | None = None, number: int = 0) -> Resource:
    kind = kind or draw(st.sampled_from(types()))
    wanted = [each for each in kind.properties if each.is_settable]
    needed = {each.name for each in wanted if each.qualifier in {Qualifier.KEY, Qualifier.REQUIRED}}
    some = draw(st.sets(st.sampled_from([each.name for each in wanted]), max_size=6)) if wanted else set()
    properties = {each.name: draw(value(each, kind)) for each in wanted if each.name in {*needed, *some}}
    if draw(st.integers(0, 5)) == 0:
        properties["PsDscRunAsCredential"] = draw(credentials())
    name = f"{draw(TEXT)}{number}"
    return Resource(ResourceId(kind.name, name), kind, properties, (), at(3, 7), {}, version=kind.version)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    found: list[Resource] = []
    for number in range(draw(st.integers(1, 4))):
        resource = draw(resources(number=number))
        targets = draw(st.sets(st.sampled_from(range(len(found))))) if found else set()
        depends_on = tuple(found[target].id for target in sorted(targets))
        found.append(
            Resource(
                resource.id,
                resource.type,
                resource.properties,
                depends_on,
                at(3, 7),
                {},
                version=resource.version,
            )
        )
    modules = {each.type.module: each.version for each in found}
    return Configuration(NodeName("n1"), "C0", tuple(found), modules)
