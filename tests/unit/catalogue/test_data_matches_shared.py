"""Every shipped fact equals the reference catalogue: each module, version, resource, class and property."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue.registry import COMMON_CLASSES, Registry
from provisioner.catalogue.schema import Limits, Property, ResourceKind
from tests.shared_data import shared

REGISTRY = Registry.builtin()
#: Ours, or known by inference from another version; everything else has a reference.
OWN = {("ProvisionerDsc", "*"), ("xPSDesiredStateConfiguration", "3.0.3.4")}
CHANNELS = {"older release": "older", "development state": "development", "vendored copy": "vendored"}


def reference_files() -> list[Path]:
    folder = shared("catalog")
    return [
        path
        for path in sorted(
            [*folder.glob("*.json"), *folder.glob("older/*.json"), *folder.glob("preview/*.json")]
        )
        if "resources" in json.loads(path.read_text(encoding="utf-8"))
    ]


def version_of(path: Path, reference: dict[str, Any]) -> str:
    return str(reference["version"]) + ("-dev" if path.stem.endswith("-dev") else "")


def expected(facts: dict[str, Any], kind: str) -> dict[str, Any]:
    """The reference's facts of one property in the words of the schema."""
    checks = facts.get("set_function", {}) if kind == "mof" else facts
    qualifier = "Write" if facts["qualifier"] in {None, "None"} else facts["qualifier"]
    length = checks.get("length", [0, facts["max_len"]] if "max_len" in facts else None)
    default = checks.get("default") if qualifier != "Read" else None
    limits = Limits(
        tuple(checks["range"]) if "range" in checks else None,
        tuple(length) if length else None,
        tuple(checks["count"]) if "count" in checks else None,
        checks.get("pattern", ""),
        checks.get("not_empty", False),
        kind != "composite",
    )
    return {
        "name": facts["name"],
        "type": facts["type"],
        "array": facts["array"],
        "qualifier": qualifier,
        "value_map": facts.get("value_map", []),
        "values": facts.get("values", []),
        "embedded_class": facts.get("embedded_instance", ""),
        "limits": None if limits in {Limits(), Limits(is_checked_on_node=True)} else limits,
        "needed_on_node": kind == "mof" and qualifier == "Write" and checks.get("mandatory", False),
        "default": tuple(default) if isinstance(default, list) else default,
        "secret_lines": False,
    }


def seen(prop: Property) -> dict[str, Any]:
    return {
        "name": prop.name,
        "type": prop.type.value,
        "array": prop.is_array,
        "qualifier": prop.qualifier.value,
        "value_map": list(prop.value_map),
        "values": list(prop.values),
        "embedded_class": prop.embedded_class,
        "limits": prop.limits,
        "needed_on_node": prop.is_needed_on_node,
        "default": prop.default,
        "secret_lines": prop.is_secret_lines,
    }


def test_every_module_version_of_the_reference_is_shipped_and_nothing_else() -> None:
    wanted = set()
    for path in reference_files():
        reference = json.loads(path.read_text(encoding="utf-8"))
        wanted.add((reference["module"], version_of(path, reference)))
    assert len(wanted) > 50
    shipped = {(module, version) for module, versions in REGISTRY.modules.items() for version in versions}
    ours = {key for key in shipped if key in OWN or (key[0], "*") in OWN}
    assert shipped - ours == wanted


def test_every_fact_of_every_module_equals_the_reference() -> None:
    counts = dict.fromkeys(ResourceKind, 0)
    for path in reference_files():
        reference = json.loads(path.read_text(encoding="utf-8"))
        module = REGISTRY.module(reference["module"], version_of(path, reference))
        assert module is not None, path
        assert module.module_version == reference["version"].partition("-")[0]
        channel = reference["channel"].partition(" (")[0]
        assert module.channel == CHANNELS.get(channel, channel)
        for kind in ResourceKind:
            counts[kind] += sum(each.kind is kind for each in module.resources)
        assert [each.name for each in module.resources] == [each["name"] for each in reference["resources"]]
        for resource, facts in zip(module.resources, reference["resources"], strict=True):
            assert (resource.class_name, resource.kind.value) == (facts["class_name"] or "", facts["kind"])
            assert resource.expands_to == facts.get("expands_to", "")
            assert resource.split_by == facts.get("array_key_parameter", "")
            assert [seen(each) for each in resource.properties] == [
                expected(each, facts["kind"]) for each in facts["properties"]
            ], (path.name, resource.name)
    assert all(count > 20 for count in counts.values()), counts


def test_every_embedded_class_equals_the_reference() -> None:
    count = 0
    for path in reference_files():
        reference = json.loads(path.read_text(encoding="utf-8"))
        module = REGISTRY.module(reference["module"], version_of(path, reference))
        assert module is not None
        assert [each.name for each in module.classes] == [
            each["class_name"] for each in reference["embedded_classes"]
        ]
        for embedded, facts in zip(module.classes, reference["embedded_classes"], strict=True):
            count += 1
            assert embedded.base == (facts.get("superclass") or "")
            assert [seen(each) for each in embedded.properties] == [
                expected(each, "mof") for each in facts["properties"]
            ], (path.name, embedded.name)
    assert count > 40


def test_every_class_of_the_metaconfiguration_equals_the_reference() -> None:
    path = shared("catalog", "LocalConfigurationManager.json")
    for facts in json.loads(path.read_text(encoding="utf-8"))["classes"]:
        found = REGISTRY.meta_class(facts["class_name"])
        assert found is not None, facts["class_name"]
        assert (found.name, found.base) == (facts["class_name"], facts["superclass"] or "")
        assert found.keyword == (facts["friendly_name"] or "")
        assert REGISTRY.meta_class(found.keyword) in {found, REGISTRY.meta_class(found.keyword)}
        assert [seen(each) for each in found.properties] == [
            expected(each, "mof") for each in facts["properties"]
        ]


def test_the_common_classes_are_those_of_the_reference() -> None:
    path = shared("catalog", "PSDesiredStateConfiguration.json")
    classes = {
        each["class_name"]: each for each in json.loads(path.read_text(encoding="utf-8"))["embedded_classes"]
    }
    for common in COMMON_CLASSES:
        facts = classes[common.name]["properties"]
        assert [(each.name, each.type.value) for each in common.properties] == [
            (each["name"], each["type"]) for each in facts
        ]


def test_the_version_that_is_inferred_has_the_facts_of_the_one_it_is_inferred_from() -> None:
    inferred = REGISTRY.resource_type("xPSDesiredStateConfiguration", "xRemoteFile", "3.0.3.4")
    other = REGISTRY.resource_type("xPSDesiredStateConfiguration", "xRemoteFile", "3.1.3.4")
    assert inferred is not None
    assert other is not None
    assert (inferred.class_name, inferred.properties) == (other.class_name, other.properties)


@pytest.mark.parametrize(
    "class_name", ["OMI_ReportManager", "OMI_ResourceModuleManager", "OMI_MetaConfigurationResource"]
)
def test_the_bases_of_the_managers_are_known_too(class_name: str) -> None:
    found = REGISTRY.meta_class(class_name.lower())
    assert found is not None
    assert found.name == class_name
