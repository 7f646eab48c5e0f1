"""Every module of the catalogue, published as a vendor would, is read back equal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.catalogue.importing.modules import read_modules
from provisioner.catalogue.module_file import read_module
from provisioner.catalogue.module_text import write_module
from provisioner.catalogue.registry import COMMON_CLASSES, Registry
from provisioner.catalogue.schema import EmbeddedClass, Limits, Module, Property, ResourceKind, ResourceType
from provisioner.diagnostics import Diagnostics
from tests.unit.catalogue.vendor_modules import embedded_by, write_vendor_module

REGISTRY = Registry.builtin()
ALL = [(module, version) for module, versions in REGISTRY.modules.items() for version in versions]


def published(resource: ResourceType) -> ResourceType:
    """What a vendor's files can say of a resource: not our summary, not which credential carries lines."""
    properties = tuple(replace(each, is_secret_lines=False) for each in resource.properties)
    return replace(resource, summary="", properties=properties)


def bare(embedded: EmbeddedClass) -> EmbeddedClass:
    """What a schema can say of an embedded class."""
    return EmbeddedClass(embedded.name, tuple(replace(each, limits=None) for each in embedded.properties))


@pytest.mark.parametrize(("name", "version"), ALL, ids=str)
def test_a_module_published_as_a_vendor_would_is_read_back_equal(
    name: str, version: str, tmp_path: Path
) -> None:
    module = REGISTRY.module(name, version)
    assert module is not None
    folder = write_vendor_module(module, tmp_path / name / version.partition("-")[0])
    problems = Diagnostics()
    [found] = read_modules(folder, problems)
    assert not problems.has_errors, [each.render() for each in problems]
    assert (found.name, found.version, found.channel) == (name, version, "project")
    by_name = {each.name: each for each in module.resources}
    assert [each.name for each in found.resources] == sorted(by_name, key=str.casefold)
    for resource in found.resources:
        assert resource == published(by_name[resource.name])
    used = [used for each in module.resources for used in embedded_by(each.properties, module)]
    common = {each.name for each in COMMON_CLASSES}
    wanted = {each.name: bare(each) for each in used if each.name not in common}
    assert {each.name: each for each in found.classes if each.name not in common} == wanted
    assert read_module(write_module(found), "a.json") == found


def test_the_round_trip_covers_every_kind_of_resource() -> None:
    kinds = [resource.kind for resource in REGISTRY.resource_types()]
    assert kinds.count(ResourceKind.MOF) > 430
    assert kinds.count(ResourceKind.CLASS) > 20
    assert kinds.count(ResourceKind.COMPOSITE) > 50


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be-sig"])
def test_files_in_the_encodings_windows_writes_are_read(encoding: str, tmp_path: Path) -> None:
    module = REGISTRY.module("StorageDsc", "6.0.1")
    assert module is not None
    write_vendor_module(module, tmp_path / "StorageDsc")
    for path in (tmp_path / "StorageDsc").rglob("*.*"):
        if path.is_file():
            text = path.read_bytes().decode()
            mark = b"\xfe\xff" if encoding == "utf-16-be-sig" else b""
            path.write_bytes(mark + text.encode("utf-16-be" if mark else encoding))
    problems = Diagnostics()
    [found] = read_modules(tmp_path / "StorageDsc", problems)
    assert not len(problems), [each.render() for each in problems]
    assert [each.name for each in found.resources] == [each.name for each in module.resources]


def test_a_value_set_only_the_script_has_is_checked_on_the_node(tmp_path: Path) -> None:
    module = REGISTRY.module("StorageDsc", "6.0.1")
    assert module is not None
    resource = next(each for each in module.resources if each.name == "DiskAccessPath")
    limited = tuple(
        replace(each, value_map=("A", "B")) if each.name == "FSLabel" else each
        for each in resource.properties
    )
    folder = write_vendor_module(
        Module("StorageDsc", "6.0.1", (replace(resource, properties=limited),)), tmp_path / "StorageDsc"
    )
    schema = next(folder.rglob("*.schema.mof"))
    schema.write_text(
        schema.read_text().replace(', ValueMap{"A", "B"}, Values{"A", "B"}', ""), encoding="utf-8"
    )
    [found] = read_modules(folder, Diagnostics())
    label = found.resources[0].property("FSLabel")
    assert label is not None
    assert label.value_map == ()
    assert label.limits is not None
    assert (label.limits.values, label.limits.is_checked_on_node) == (("A", "B"), True)


def test_limits_are_written_and_read_whole() -> None:
    prop = Property(
        "A",
        REGISTRY.resource_type("StorageDsc", "Disk").property("Size").type,  # type: ignore[union-attr]
        is_array=True,
        limits=Limits((1, 2.5), (0, 3), (1, 4), "^a$", True, True, ("x", "y")),
        default=(1, "a", True),
        is_secret_lines=True,
        is_needed_on_node=True,
    )
    module = Module("M", "1.0", (ResourceType("R", "C", "M", "1.0", (prop,)),), channel="project")
    assert read_module(write_module(module), "a.json") == module
