"""docs/catalogue.md lists what is shipped, and its format is the one that is read."""

from __future__ import annotations

import re
from pathlib import Path

from provisioner.catalogue import module_file
from provisioner.catalogue.registry import Registry

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "catalogue.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
REGISTRY = Registry.builtin()


def table() -> str:
    rows = ["| module | versions | resources of the first | facts from |", "| --- | --- | --- | --- |"]
    for name, versions in REGISTRY.modules.items():
        shown = []
        for version in versions:
            module = REGISTRY.module(name, version)
            assert module is not None
            shown.append(version if module.channel == "stable" else f"{version} ({module.channel})")
        newest = REGISTRY.module(name, versions[0])
        assert newest is not None
        source = newest.source.partition(" @ ")[0].partition(";")[0]
        rows.append(f"| {name} | {', '.join(shown)} | {len(newest.resources)} | {source} |")
    return "\n".join(rows)


def test_the_table_of_shipped_modules_is_true() -> None:
    found = re.search(r"<!-- table -->\n(.*?)\n?<!-- end of table -->", TEXT, re.DOTALL)
    assert found is not None
    assert found[1] == table()


def test_every_field_of_the_format_is_described() -> None:
    described: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (module|resource|class|property) \| ([^|]*) \|", TEXT, re.MULTILINE):
        described.setdefault(row[0], set()).update(re.findall(r"`(\w+)`", row[1]))
    assert described["module"] == set(module_file._MODULE_FIELDS)
    assert described["resource"] | {"properties"} == set(module_file._RESOURCE_FIELDS)
    assert described["class"] | {"properties"} == set(module_file._CLASS_FIELDS)
    assert described["property"] == set(module_file._PROPERTY_FIELDS)


def test_the_example_of_the_format_is_read() -> None:
    found = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    module = module_file.read_module(found[1], "example", "project")
    assert [each.name for each in module.resources] == ["Thing", "Things"]
    assert module.classes[0].properties[0].values == ("Allow", "Deny")


def test_the_summaries_are_a_few_words_of_our_own() -> None:
    for resource in REGISTRY.resource_types():
        assert len(resource.summary) <= 100
        assert "\n" not in resource.summary
