"""The shipped facts equal the reference catalogue, and look-ups are forgiving where DSC is."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CimType, Qualifier
from tests.shared_data import shared


def reference_files() -> list[str]:
    return ["PSDscResources", "xHyper-V", "iSCSIDsc", "ComputerManagementDsc"]


@pytest.mark.parametrize("module", reference_files())
def test_every_fact_of_a_module_equals_the_reference_catalogue(module: str) -> None:
    reference: dict[str, Any] = json.loads(shared("catalog", f"{module}.json").read_text(encoding="utf-8"))
    registry = Registry.builtin()
    expected = {each["name"]: each for each in reference["resources"] if each["kind"] == "mof"}
    found = registry.module(module, reference["version"])
    assert found is not None
    assert {each.name for each in found.resources} == set(expected)
    for resource_type in found.resources:
        facts = expected[resource_type.name]
        assert resource_type.class_name == facts["class_name"]
        assert [
            (p.name, p.type.value, p.is_array, p.qualifier.value, list(p.value_map), p.embedded_class)
            for p in resource_type.properties
        ] == [
            (
                p["name"],
                p["type"],
                p["array"],
                p["qualifier"],
                p.get("value_map", []),
                p.get("embedded_instance", ""),
            )
            for p in facts["properties"]
        ]


def test_every_property_order_equals_a_sighting_of_the_reference() -> None:
    rows = json.loads(shared("mof-goldens", "property-orders.json").read_text(encoding="utf-8"))["rows"]
    registry = Registry.builtin()
    node_rows = [row["order"] for row in rows if "ResourceID" in row["order"]]
    assert len(node_rows) > 80
    for order in node_rows:
        kept = tuple(name for name in order if name not in {"DependsOn", "ConfigurationName"})
        assert tuple(map(str.casefold, registry.property_order(kept) or ())) == tuple(map(str.casefold, kept))


def test_a_set_of_names_nobody_saw_has_no_order() -> None:
    assert Registry.builtin().property_order(["ResourceID", "Nonsense"]) is None


def test_look_ups_ignore_case_and_answer_in_the_spelling_of_the_schema() -> None:
    found = Registry.builtin().resource_type("psdscresources", "WINDOWSFEATURE")
    assert found is not None
    assert (found.module, found.version, found.name) == ("PSDscResources", "2.12.0.0", "WindowsFeature")
    name = found.property("name")
    assert name is not None
    assert name.qualifier is Qualifier.KEY


def test_an_unknown_module_version_or_resource_is_none() -> None:
    registry = Registry.builtin()
    assert registry.module("PSDscResources", "1.0") is None
    assert registry.resource_type("NoSuchModule", "Service") is None
    assert registry.resource_type("PSDscResources", "NoSuchResource") is None


def test_a_module_in_two_versions_needs_the_version() -> None:
    text = '{"module": "M", "version": "%s", "resources": []}'
    registry = Registry({("M", v): (lambda v=v: text % v) for v in ("1", "2")}, lambda: "[]")  # type: ignore[misc]
    assert registry.module("M") is None
    assert registry.module("m", "2") is not None
    assert registry.modules == {"M": ("1", "2")}


def test_a_module_is_read_only_when_it_is_asked_for() -> None:
    read: list[str] = []

    def source() -> str:
        read.append("M")
        return '{"module": "M", "version": "1", "resources": []}'

    registry = Registry({("M", "1"): source}, lambda: "[]")
    assert registry.modules == {"M": ("1",)}
    assert read == []
    registry.module("M")
    registry.module("M")
    assert read == ["M"]


def test_composites_are_left_out_because_they_have_no_instance_of_their_own() -> None:
    assert Registry.builtin().resource_type("PSDscResources", "ServiceSet") is None


def test_our_own_module_is_known() -> None:
    found = Registry.builtin().resource_type("ProvisionerDsc", "ConfigurationFile", "0.1.0")
    assert found is not None
    assert found.class_name == "PROV_ConfigurationFile"
    assert [key.name for key in found.keys] == ["Path"]


def test_integer_types_know_their_range() -> None:
    found = Registry.builtin().resource_type("iSCSIDsc", "iSCSIVirtualDisk")
    assert found is not None
    size = found.property("SizeBytes")
    assert size is not None
    assert size.type is CimType.UINT64
    assert size.type.integer_range == (0, 2**64 - 1)


def test_importing_the_registry_reads_no_data() -> None:
    code = (
        "import provisioner.catalogue.registry, sys; "
        "print('json' in sys.modules and any('data' in m for m in sys.modules if 'catalogue' in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
