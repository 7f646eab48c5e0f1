"""The example shown for a resource type compiles, for every type of every module version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner import documents
from provisioner.catalogue.description import describe, facts
from provisioner.catalogue.example import example, is_compilable
from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import CimType, Limits, Property, Qualifier, ResourceKind, ResourceType
from provisioner.diagnostics import SourceFile
from tests.compiling import compile_project, write

REGISTRY = Registry.builtin()
ALL = [(module, version) for module, versions in REGISTRY.modules.items() for version in versions]
INVENTORY = """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD'}
encryption: {plain_text: true}
nodes:
  n1: {address: 192.0.2.1, roles: [web]}
"""


def compiled(folder: Path, resources: list[ResourceType]) -> list[str]:
    module, version = resources[0].module, resources[0].version
    items = []
    for resource in resources:
        [item] = documents.plain(_tree(example(resource, REGISTRY)))
        items.append({**item, "name": f"example {resource.name}"})
    role = f"description: x\nmodules: {{{module}: '{version}'}}\nconfigurations: [web]\n"
    files = {"inventory.yaml": INVENTORY, "roles/web/role.yaml": role}
    write(folder, {**files, "dsc_configs/web.dsc.yaml": documents.dump({"resources": items})})
    configurations, problems = compile_project(folder, registry=REGISTRY)
    assert bool(configurations) is not problems.has_errors
    return [problem.render() for problem in problems if "reboot" not in problem.summary.casefold()]


def _tree(text: str) -> documents.Tree:
    tree, problems = documents.parse(text, SourceFile("example", text))
    assert tree is not None
    assert not len(problems)
    return tree


@pytest.mark.parametrize(("name", "version"), ALL, ids=str)
def test_every_example_compiles(
    name: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = REGISTRY.module(name, version)
    assert module is not None
    sorts: dict[bool, list[ResourceType]] = {True: [], False: []}
    for resource in module.resources:
        if is_compilable(resource):
            # The members of a set would manage the same thing as the example of the member itself.
            sorts[resource.kind is ResourceKind.COMPOSITE].append(resource)
    for is_composite, resources in sorts.items():
        if resources:
            folder = tmp_path / str(is_composite)
            folder.mkdir()
            monkeypatch.chdir(folder)
            assert compiled(folder, resources) == []


def test_every_description_names_every_property_and_fits_json() -> None:
    for name, version in ALL:
        module = REGISTRY.module(name, version)
        assert module is not None
        for resource in module.resources:
            text = describe(resource, module, REGISTRY)
            plain = facts(resource, module, REGISTRY)
            assert [each["name"] for each in plain["properties"]] == [
                each.name for each in resource.properties
            ]
            assert all(each.name in text for each in resource.properties)
            assert ("Example" in text) is is_compilable(resource)


def test_a_description_says_what_limits_a_value() -> None:
    module = REGISTRY.module("ComputerManagementDsc", "10.0.0")
    assert module is not None
    resource = module.resource("Computer")
    assert resource is not None
    text = describe(resource, module, REGISTRY)
    assert "key; 1 to 15 characters" in text
    described = describe(module.resource("SystemProtection"), module, REGISTRY)  # type: ignore[arg-type]
    assert "matches ^[A-Za-z]$" in described
    package = Registry.builtin().module("PSDscResources")
    assert package is not None
    assert "key; perhaps not empty" in describe(package.resource("MsiPackage"), package, REGISTRY)  # type: ignore[arg-type]
    assert "1 to 100" in described


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (Limits(length=(0, 3)), "exa"),
        (Limits(length=(9, 12)), "examplexx"),
        (Limits(pattern="^[A-Za-z]$"), "E"),
        (Limits(values=("One", "Two")), "One"),
        (Limits(range=(3, 9)), "3"),
        (None, "example"),
    ],
)
def test_a_placeholder_keeps_the_limits_of_its_property(limits: Limits | None, text: str) -> None:
    key = Property("Name", CimType.STRING, qualifier=Qualifier.KEY, limits=limits)
    resource = ResourceType("R", "C", "M", "1.0", (key,))
    [item] = documents.plain(_tree(example(resource, Registry({}, lambda: "[]"))))
    assert item["properties"] == {"Name": text}


def test_every_kind_of_value_has_a_placeholder() -> None:
    def needed(name: str, kind: CimType = CimType.STRING, **more: Any) -> Property:
        return Property(name, kind, qualifier=Qualifier.REQUIRED, **more)

    properties = (
        needed("Moment", CimType.DATETIME),
        needed("Flag", CimType.BOOLEAN),
        needed("Letter", CimType.CHAR16),
        needed("Share", CimType.REAL64, limits=Limits(range=(0.5, 1))),
        needed("Counts", CimType.UINT8, is_array=True, limits=Limits(count=(2, 3))),
        needed("Level", CimType.UINT8, value_map=("4", "5")),
        needed("Word", CimType.UINT8, value_map=("4", "5"), values=("Four", "Five")),
        needed("Login", embedded_class="MSFT_Credential"),
        needed("Table", is_array=True, embedded_class="MSFT_KeyValuePair"),
        needed("Lines", embedded_class="MSFT_Credential", is_secret_lines=True),
        needed("Unknown", embedded_class="Nobody"),
    )
    resource = ResourceType("R", "C", "M", "1.0", properties)
    [item] = documents.plain(_tree(example(resource, Registry({}, lambda: "[]"))))
    assert item["properties"] == {
        "Moment": "2026-01-31T12:00:00Z",
        "Flag": True,
        "Letter": "x",
        "Share": 0.5,
        "Counts": [1, 1],
        "Level": 4,
        "Word": "Four",
        "Login": {"user": "name", "password": "env:NAME"},
        "Table": {"name": "value"},
        "Lines": {"name": "env:NAME"},
        "Unknown": {},
    }
