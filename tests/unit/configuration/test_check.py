"""A declaration is checked once for a fleet, and knows which version of its module it is written for."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.addresses import ResourceId, RoleName
from provisioner.catalogue.registry import Registry
from provisioner.configuration.check import Checker, check
from provisioner.configuration.recent import Recent
from provisioner.diagnostics import Diagnostics
from provisioner.roles.model import Declaration, DeclaredProperty, Reference
from tests.unit.configuration.builders import REGISTRY, at
from tests.unit.configuration.converting import value


def declaration(kind: str, name: str, properties: dict[str, Any]) -> Declaration:
    module, _, type_name = kind.partition("/")
    return Declaration(
        role=RoleName("web"),
        module=module,
        type_name=type_name,
        name=name,
        properties=tuple(
            DeclaredProperty(Reference(key, at()), value(data)) for key, data in properties.items()
        ),
        depends_on=(),
        where=at(),
        kind_where=at(),
        name_where=at(),
    )


SERVICE = declaration("PSDscResources/Service", "a", {"Name": "a"})
MODULES = {"PSDscResources": "2.12.0.0"}


def test_the_same_declaration_gives_the_same_resource() -> None:
    checker = Checker(REGISTRY)
    first = checker.check(SERVICE, MODULES, Diagnostics())
    assert first is not None
    assert checker.check(SERVICE, dict(MODULES), Diagnostics()) is first
    depends_on = (ResourceId("Service", "b"),)
    placed = checker.placed(first[0], depends_on)
    assert placed.depends_on == depends_on
    assert checker.placed(first[0], (ResourceId("Service", "b"),)) is placed
    assert checker.placed(first[0], ()) is first[0]


def test_problems_are_told_again_to_every_node() -> None:
    checker = Checker(REGISTRY)
    wrong = declaration("PSDscResources/Service", "a", {"Nme": "a"})
    for _ in range(2):
        problems = Diagnostics()
        assert checker.check(wrong, MODULES, problems) is None
        assert [each.summary for each in problems] == ["Unknown property", "Missing property"]


def test_another_version_is_another_question() -> None:
    checker = Checker(REGISTRY)
    each = declaration("xPSDesiredStateConfiguration/xService", "a", {"Name": "a"})
    versions = []
    for version in ("9.2.1", "8.4.0.0"):
        found = checker.check(each, {"xPSDesiredStateConfiguration": version}, Diagnostics())
        assert found is not None
        versions.append((found[0].type.version, found[0].version))
    assert versions == [("9.2.1", "9.2.1"), ("8.4.0.0", "8.4.0.0")]


@pytest.mark.parametrize("written", ["1.0", "1.1", "0.0"])
def test_the_in_box_module_keeps_the_version_that_was_written(written: str) -> None:
    each = declaration("PSDesiredStateConfiguration/Service", "a", {"Name": "a"})
    found = check(each, {"PSDesiredStateConfiguration": written}, REGISTRY, Diagnostics())
    assert found is not None
    assert (found[0].type.version, found[0].version) == ("1.1", written)


def test_a_preview_is_written_with_the_number_of_its_manifest() -> None:
    each = declaration("HyperVDsc/VMSwitch", "a", {"Name": "a", "Type": "Private"})
    found = check(each, {"hypervdsc": "4.0.0-preview0005"}, REGISTRY, Diagnostics())
    assert found is not None
    assert found[0].version == "4.0.0"


def test_names_are_as_free_as_those_of_an_lcm() -> None:
    for name in ("[V-1][medium] x", "HKLM:\\Software", "ü", "a::b"):
        each = declaration("PSDscResources/Service", name, {"Name": "a"})
        problems = Diagnostics()
        assert check(each, MODULES, REGISTRY, problems) is not None
        assert len(problems) == 0


def test_class_based_resources_go_by_their_class() -> None:
    kind = next(kind for kind in REGISTRY.resource_types() if kind.kind.value == "class")
    assert kind.class_name == kind.name


def test_an_empty_list_stays_for_a_required_property_only() -> None:
    """Windows wrote an empty Identity in a document that was seen; for free properties it writes none."""
    nobody = declaration(
        "SecurityPolicyDsc/UserRightsAssignment", "a", {"Policy": "Debug_programs", "Identity": []}
    )
    found = check(nobody, {"SecurityPolicyDsc": "2.10.0.0"}, REGISTRY, Diagnostics())
    assert found is not None
    assert found[0].properties == {"Policy": "Debug_programs", "Identity": ()}
    problems = Diagnostics()
    service = declaration("PSDscResources/Service", "a", {"Name": "a", "Dependencies": []})
    made = check(service, MODULES, REGISTRY, problems)
    assert made is not None
    assert made[0].properties == {"Name": "a"}
    assert [each.summary for each in problems] == ["Empty list is left out"]


def test_nothing_is_remembered_beyond_the_bound() -> None:
    recent: Recent[str] = Recent(2)
    sources = [object(), object(), object()]
    for source in sources[:2]:
        recent.put(source, None, "made")
    assert recent.get(sources[0], None) == "made"
    recent.put(sources[2], None, "made")
    assert [recent.get(source, None) for source in sources] == ["made", None, "made"]
    assert recent.get(sources[0], "otherwise") is None


def test_every_type_of_the_catalogue_has_a_shape() -> None:
    registry = Registry.builtin()
    checker = Checker(registry)
    unknown = []
    for kind in registry.resource_types():
        shape = checker.shapes.of(kind)
        for name in shape.settable:
            prop = shape.slots[name].prop
            if prop.embedded_class and checker.shapes.embedded(kind, prop.embedded_class) is None:
                unknown.append(f"{kind.module} {kind.version} {kind.name}.{name}: {prop.embedded_class}")
    assert unknown == []
