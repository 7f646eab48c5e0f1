"""Any type of the catalogue with any values is a resource or a diagnostic, and never anything else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioner.catalogue.schema import (
    CREDENTIAL_CLASS,
    PAIR_CLASS,
    CimType,
    Property,
    ResourceKind,
    ResourceType,
)
from provisioner.configuration.check import Checker
from provisioner.configuration.model import Credential, Instance
from provisioner.diagnostics import Diagnostics
from tests.unit.configuration.builders import REGISTRY
from tests.unit.configuration.test_check import declaration

KINDS = sorted(REGISTRY.resource_types(), key=lambda kind: (kind.module, kind.version, kind.name))
CHECKER = Checker(REGISTRY, remembered=0)

_PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_REFERENCES = st.sampled_from(["env:A", "file:a.txt|url", "vault:x", "secret", ""])
ANYTHING = st.recursive(
    _PLAIN | _REFERENCES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["user", "password", "Name", "a", "A", ""]), inner, max_size=3)
    ),
    max_leaves=8,
)


def checked(kind: ResourceType, properties: dict[str, Any]) -> tuple[Any, Diagnostics]:
    problems = Diagnostics()
    each = declaration(f"{kind.module}/{kind.name}", "x", properties)
    return CHECKER.check(each, {kind.module: kind.version}, problems), problems


@settings(max_examples=300)
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_anything_gives_a_resource_or_an_error(kind: ResourceType, data: st.DataObject) -> None:
    names = st.sampled_from([prop.name for prop in kind.properties] or ["Name"]) | st.sampled_from(
        ["psdscrunascredential", "DependsOn", "Nme", "name"]
    )
    properties = data.draw(st.dictionaries(names, ANYTHING, max_size=6))
    made, problems = checked(kind, properties)
    assert (made is None) == problems.has_errors
    for problem in problems:
        assert problem.where is not None
        assert problem.render()


def _good(prop: Property, kind: ResourceType) -> st.SearchStrategy[Any]:
    """Values an author may write for a property; nothing where limits would have to be met as well."""
    if prop.is_secret_lines:
        return st.just({"a": "env:A"})
    if prop.embedded_class == CREDENTIAL_CLASS:
        return st.just({"user": "u", "password": "env:P"})
    if prop.embedded_class == PAIR_CLASS:
        return st.dictionaries(
            st.sampled_from(["a", "b"]), st.text("xy") | st.integers(), min_size=1, max_size=1
        )
    if prop.embedded_class:
        shape = CHECKER.shapes.embedded(kind, prop.embedded_class)
        assert shape is not None
        return st.fixed_dictionaries({slot.prop.name: _good_value(slot.prop, kind) for slot in shape.needed})
    if prop.value_map:
        return st.sampled_from(prop.values or prop.value_map).map(str.upper)
    if bounds := prop.type.integer_range:
        return st.integers(*bounds)
    return {
        CimType.BOOLEAN: st.booleans(),
        CimType.DATETIME: st.just("2025-01-31T12:00:00Z"),
        CimType.CHAR16: st.just("c"),
        CimType.REAL32: st.integers(0, 9),
        CimType.REAL64: st.floats(allow_nan=False, allow_infinity=False),
    }.get(prop.type, st.text('ab\\"ü\n', min_size=1, max_size=9))


def _good_value(prop: Property, kind: ResourceType) -> st.SearchStrategy[Any]:
    one = _good(prop, kind)
    is_list = prop.is_array and prop.embedded_class != PAIR_CLASS
    return st.lists(one, min_size=1, max_size=2) | one if is_list else one


def _is_free(prop: Property) -> bool:
    return not (prop.limits and (prop.limits.hold_items or prop.limits.count))


@settings(max_examples=300)
@given(
    kind=st.sampled_from([each for each in KINDS if each.kind is not ResourceKind.COMPOSITE]), data=st.data()
)
def test_what_the_schema_allows_is_taken_as_it_is(kind: ResourceType, data: st.DataObject) -> None:
    needed = {slot.prop.name for slot in CHECKER.shapes.of(kind).needed}
    props = [
        prop for prop in kind.properties if prop.is_settable and _is_free(prop) and not prop.is_secret_lines
    ]
    if not needed <= {prop.name for prop in props}:
        return
    optional = [prop.name for prop in props if prop.name not in needed]
    chosen = needed | set(data.draw(st.lists(st.sampled_from(optional or [""]), max_size=5))) - {""}
    given_values = {
        prop.name.upper(): data.draw(_good_value(prop, kind))
        for prop in data.draw(st.permutations(props))
        if prop.name in chosen
    }
    made, problems = checked(kind, given_values)
    assert [
        problem.render()
        for problem in problems
        if "Empty" not in problem.summary and "node" not in problem.summary
    ] == []
    [resource] = made
    assert list(resource.properties) == [
        prop.name for prop in kind.properties if prop.name in resource.properties
    ]
    for prop in kind.properties:
        if prop.name in resource.properties:
            _is_of_type(prop, resource.properties[prop.name])


def _is_of_type(prop: Property, value: Any) -> None:
    assert isinstance(value, tuple) is prop.is_array
    for item in value if isinstance(value, tuple) else (value,):
        if prop.embedded_class == CREDENTIAL_CLASS:
            assert isinstance(item, Credential)
        elif prop.embedded_class:
            assert isinstance(item, Instance)
        elif prop.value_map:
            assert str(item) in prop.value_map
