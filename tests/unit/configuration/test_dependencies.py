"""What an entry of dependsOn names, whatever an author leaves out of the name."""

from __future__ import annotations

import pytest

from provisioner.addresses import ResourceId
from provisioner.configuration.between.dependencies import Targets
from provisioner.configuration.model import Resource
from tests.unit.configuration.builders import resource, resource_type

IDS = [
    "[Service]a",
    "[Service]a::[Site]one",
    "[Service]b::[Site]one",
    "[Service]c::[Rack]r::[Site]one",
    "[Service]d::[Rack]r::[Site]two",
    "[Service]e::[Rack]r::[Site]two",
    "[Service]a::[Site]two",
    "[Service][V-1][medium]x::[Site]two",
]


def resources() -> list[Resource]:
    made = []
    for text in IDS:
        found = ResourceId.parse(text)
        assert found is not None
        each = resource(resource_type("PSDscResources/Service"), "x", {"Name": text})
        made.append(Resource(found, each.type, each.properties, (), each.where, {}))
    return made


@pytest.mark.parametrize(
    ("written", "source", "found"),
    [
        ("[Service]a", 0, [0]),
        ("[service]A::[SITE]One", 0, [1]),
        ("[Service]b", 1, [2]),
        ("[Service]b", 0, [2]),
        ("[Service]c", 1, [3]),
        ("[Service]a", 2, [0]),
        ("[Service]e", 4, [5]),
        ("[Rack]r", 4, [4, 5]),
        ("[Rack]r", 1, [3]),
        ("[Rack]r", 0, []),
        ("[Site]one", 0, [1, 2, 3]),
        ("[Site]two", 0, [4, 5, 6, 7]),
        ("[Rack]r::[Site]two", 0, [4, 5]),
        ("[Service][V-1][medium]x", 0, [7]),
        ("[Service]nothing", 3, []),
        (" [Service]a ", 3, [0]),
    ],
)
def test_a_name_means(written: str, source: int, found: list[int]) -> None:
    made = resources()
    assert list(Targets(made).find(written, made[source])) == found


def test_a_name_in_several_composites_is_ambiguous_for_one_outside() -> None:
    made = resources()[1:]
    targets = Targets(made)
    assert targets.find("[Service]a", made[3]) == (5,)
    outside = resource("PSDscResources/Service", "z", {"Name": "z"})
    assert targets.find("[Service]a", outside) == ()
    assert targets.candidates("[Service]a") == (0, 5)
    assert targets.candidates("[Rack]r") == (2, 3, 4)
    assert targets.candidates("[Service]nothing") == ()
