"""What our own checks accept, the schemas accept; of planted mistakes both say no."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import Property
from provisioner.configuration.lcm.model import GROUPS
from provisioner.configuration.lcm.profile import _KEYS, _PART_KEYS, load_lcm_profile
from provisioner.configuration.shapes import Slot
from provisioner.configuration.values import convert_item
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange
from provisioner.editor.configuration import all_modules, configuration_schema, used_modules
from provisioner.editor.inventory import CHECKS, DESCRIPTIONS
from provisioner.editor.lcm import MANAGERS
from provisioner.editor.properties import DEFINITIONS, value_schema
from provisioner.inventory import schema as inventory_models
from provisioner.inventory.loader import read_inventory
from provisioner.roles import configuration_file, loader
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.model import Value, VariableType
from provisioner.roles.reading.variables import FIELD_KEYS, VARIABLE_KEYS
from tests.compiling import REPOSITORY, compile_project, write
from tests.unit.editor.schemas import refusals, texts, validator
from tests.yaml_files import read_yaml

CASES = REPOSITORY / "tests/cases"
NOWHERE = SourceRange(SourceFile("x", ""), 1, 1, 1, 1)


def bad(kind: str) -> list[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted((CASES / "editor" / kind).glob("*.yml"))]


# --- what is accepted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(CASES.glob("inventory/*.yml")), ids=lambda path: path.stem)
def test_an_inventory_without_errors_is_accepted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    inventory, _ = read_inventory(text, SourceFile(path.name, text))
    if inventory is not None:
        assert refusals("inventory", text) == []


def diagnosed() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}-{case['case'].replace(' ', '-')}")
        for path in sorted(CASES.glob("diagnostics/compile-*.yml"))
        for case in read_yaml(path)
    ]


@pytest.mark.parametrize("case", diagnosed())
def test_files_of_a_project_without_errors_are_accepted(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if "error: " in case["expect"]:
        return
    write(tmp_path, case["files"])
    for pattern, kind in (
        ("inventory.yaml", "inventory"),
        ("roles/*/role.yaml", "role"),
        ("dsc_configs/*.dsc.yaml", "configuration"),
    ):
        for path in tmp_path.glob(pattern):
            assert refusals(kind, path.read_text(encoding="utf-8"), tmp_path) == [], path


def resource_cases() -> list[Any]:
    return [
        pytest.param(path, id=f"{path.parent.name}-{path.stem}")
        for path in sorted(CASES.glob("resources/*/*.yml"))
    ]


@pytest.mark.parametrize("path", resource_cases())
def test_the_properties_of_every_resource_case_are_accepted(path: Path) -> None:
    case = read_yaml(path)
    indented = re.sub(r"^", "      ", case["properties"], flags=re.MULTILINE)
    text = f"resources:\n  - name: one\n    type: {case['type']}\n    properties:\n{indented}\n"
    assert refusals("configuration", text) == []


def kinds_of_properties() -> list[Property]:
    """One property of each kind there is in the whole catalogue, but for embedded ones."""
    found: dict[Any, Property] = {}
    registry = Registry.builtin()
    lcm: list[Any] = [
        registry.meta_class(keyword) for keyword in (*MANAGERS, "Settings", "PartialConfiguration")
    ]
    for each in [*registry.resource_types(), *filter(None, lcm)]:
        for prop in each.properties:
            if not prop.embedded_class:
                kind = (prop.type, prop.is_array, prop.value_map, prop.values, prop.limits)
                found.setdefault(kind, prop)
    return list(found.values())


def samples(prop: Property) -> list[Any]:
    words = [*prop.values, *prop.value_map, *(prop.limits.values if prop.limits else ())]
    numbers = [int(word) for word in words if re.fullmatch("-?[0-9]{1,18}", word)]
    edges = [*(prop.type.integer_range or ()), *((prop.limits and prop.limits.range) or ())]
    return [
        *words,
        *(word.swapcase() for word in words),
        *numbers,
        *(int(edge) for edge in edges),
        *("x", "", " ", "true", "1", "1.5", "x" * 300, "\U0001f600", "2025-01-31T12:00:00+00:00"),
        *(0, 1, -1, 7, 255, 2**32, 1.5, 0.0, True, False),
    ]


def test_every_value_our_checks_take_is_accepted_for_every_property_of_the_catalogue() -> None:
    wrong = []
    taken = 0
    for prop in kinds_of_properties():
        schema = {**value_schema(prop, lambda _: {}), "definitions": DEFINITIONS}
        judge = validator("configuration").evolve(schema=schema)
        slot = Slot.of(prop)
        for sample in samples(prop):
            problems = Diagnostics()
            text = "" if isinstance(sample, str) else str(sample)
            convert_item(slot, Value(sample, NOWHERE, text=text), problems)
            if problems.has_errors:
                continue
            taken += 1
            wrong += [(prop, value) for value in (sample, [sample]) if not _fits(judge, prop, value)]
        assert judge.is_valid("{{ anything }}")
        assert judge.is_valid(None)
    assert wrong == []
    assert taken > 1000


def _fits(judge: Any, prop: Property, value: Any) -> bool:
    return (isinstance(value, list) and not prop.is_array) or bool(judge.is_valid(value))


def test_every_type_of_variable_takes_what_our_checks_take() -> None:
    role = "description: x\nvariables:\n  v: {{type: {kind}, description: y, default: {value}}}\n"
    judged = 0
    for kind in VariableType:
        for value in ("x", 1, 1.5, True, [1], {"a": 1}, "env:X", {"user": "a", "password": "env:B"}):
            text = role.format(
                kind=kind.value, value=yaml.safe_dump(value, default_flow_style=True).strip(" .\n")
            )
            assert (refusals("role", text) == []) is kind.accepts(value), text
            judged += 1
    assert judged == 8 * len(VariableType)


def test_numbers_beyond_the_limits_of_a_property_are_refused() -> None:
    judged = 0
    for prop in kinds_of_properties():
        bounds = prop.limits.range if prop.limits else None
        if bounds and prop.type.integer_range and not prop.value_map:
            judge = validator("configuration").evolve(schema=value_schema(prop, lambda _: {}))
            assert judge.is_valid(int(bounds[1])), prop
            assert not judge.is_valid(int(bounds[1]) + 1), prop
            judged += 1
    assert judged > 3


MODULES = ("PSDscResources", "xHyper-V", "iSCSIDsc", "ProvisionerDsc", "PSDesiredStateConfiguration")
ROLE = "description: x\nconfigurations: [web]\nmodules:\n" + "".join(
    f'  {name}: "{Registry.builtin().versions(name)[0]}"\n' for name in MODULES
)


@pytest.mark.parametrize(
    "properties",
    [
        "{Name: a, PsDscRunAsCredential: {user: 'DOM\\a', password: 'env:P|url'}}",
        "{NAME: a, psdscrunascredential: {user: a, password: 'file:.secrets/a'}}",
        "{Name: a, Credential: \"{{ {'user': 'a', 'password': 'env:P'} }}\"}",
        "{Name: a, state: RUNNING, StartupType: null, Ensure: }",
        '{Name: 5, DesktopInteract: "{{ true }}", StartupTimeout: "{{ 5 }}", State: "{{ \'Running\' }}"}',
        "{Name: a, Dependencies: [b, 5, null, \"{{ 'c' }}\"]}",
    ],
)
def test_what_an_author_may_write_is_accepted_by_both(
    properties: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = f"resources:\n  - name: a\n    type: psdscresources/SERVICE\n    properties: {properties}\n"
    write(tmp_path, {"roles/web/role.yaml": ROLE, "dsc_configs/web.dsc.yaml": text})
    _, problems = compile_project(tmp_path)
    assert not problems.has_errors, [problem.render() for problem in problems]
    assert refusals("configuration", text) == []


def golden_cases() -> list[Any]:
    return [
        pytest.param(path, id=path.stem) for path in sorted(REPOSITORY.glob("tests/goldens/cases/*.yaml"))
    ]


@pytest.mark.parametrize("path", golden_cases())
def test_configurations_that_equal_what_windows_compiled_are_accepted(path: Path) -> None:
    case = read_yaml(path)
    if "profile" in case:
        assert list(validator("lcm").iter_errors(case["profile"])) == []
    if "resources" in case:
        registry = Registry.builtin()
        modules = used_modules([(name, str(version)) for name, version in case["modules"].items()], registry)
        judge: Any = jsonschema.Draft7Validator(configuration_schema(modules, registry))
        found = [error.message[:300] for error in judge.iter_errors({"resources": case["resources"]})]
        # One is a document that Windows PowerShell refuses itself.
        assert bool(found) is ("refused" in case), found


def test_the_lcm_profile_of_the_documentation_is_accepted() -> None:
    text = (REPOSITORY / "docs/formats.md").read_text(encoding="utf-8")
    profiles = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "managers:" in block]
    assert profiles
    for profile in profiles:
        assert refusals("lcm", profile) == []


def test_the_inventories_of_the_documentation_are_accepted() -> None:
    blocks = [
        block
        for page in (REPOSITORY / "README.md", REPOSITORY / "docs/inventory.md")
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        if block.startswith("site:")
    ]
    assert len(blocks) > 1
    for block in blocks:
        assert refusals("inventory", block) == []


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", bad("inventory"))
def test_a_mistake_in_an_inventory_is_refused_by_both(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    inventory, problems = read_inventory(text, SourceFile(path.name, text))
    if inventory is not None:
        assert "Variable has the wrong type" in text  # known where roles are, not by the loader
    assert refusals("inventory", text) != [], [problem.render() for problem in problems]


@pytest.mark.parametrize("path", bad("role"))
def test_a_mistake_in_a_role_is_refused_by_both(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    write(tmp_path, {"roles/web/role.yaml": text})
    role, problems = RoleLibrary([tmp_path]).load("web")
    assert role is None
    assert problems.has_errors
    assert refusals("role", text) != []


@pytest.mark.parametrize("path", bad("lcm"))
def test_a_mistake_in_an_lcm_profile_is_refused_by_both(path: Path) -> None:
    profile, problems = load_lcm_profile(path, Registry.builtin())
    assert profile is None
    assert problems.has_errors
    assert refusals("lcm", path.read_text(encoding="utf-8")) != []


@pytest.mark.parametrize("path", bad("configuration"))
def test_a_mistake_in_a_configuration_is_refused_by_both(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = path.read_text(encoding="utf-8")
    write(tmp_path, {"roles/web/role.yaml": ROLE, "dsc_configs/web.dsc.yaml": text})
    _, problems = compile_project(tmp_path)
    places = {
        problem.where.source.path
        for problem in problems
        if problem.where and problem.severity.value == "error"
    }
    assert places == {"dsc_configs/web.dsc.yaml"}
    assert refusals("configuration", text) != []


# --- both know the same keys --------------------------------------------------------------------------------


def test_the_schema_of_a_role_has_the_keys_our_reader_knows() -> None:
    properties = validator("role").schema["properties"]
    assert sorted(properties) == sorted(loader._ROLE_KEYS)
    assert sorted(properties["variables"]["additionalProperties"]["properties"]) == sorted(VARIABLE_KEYS)
    assert sorted(validator("role").schema["definitions"]["field"]["properties"]) == sorted(FIELD_KEYS)


def test_the_schema_of_a_configuration_has_the_keys_our_reader_knows() -> None:
    schema = validator("configuration").schema
    known = (*configuration_file._DOCUMENT_KEYS, *configuration_file._TOLERATED_KEYS)
    assert sorted(schema["properties"]) == sorted(known)
    resource = schema["definitions"]["resource"]["properties"]
    assert sorted(resource) == sorted([*configuration_file._RESOURCE_KEYS, "metadata"])


def test_the_schema_of_an_lcm_profile_has_the_keys_our_reader_knows() -> None:
    schema = validator("lcm").schema
    assert sorted(schema["properties"]) == sorted(_KEYS)
    assert sorted(schema["properties"]["managers"]["items"]["properties"]) == sorted(_PART_KEYS)
    assert sorted(schema["properties"]["partials"]["items"]["properties"]) == sorted(_PART_KEYS[1:])
    assert not set(schema["definitions"]["Settings"]["properties"]) & set(GROUPS)


def test_every_key_of_an_inventory_is_described_and_no_other() -> None:
    models = [
        value
        for value in vars(inventory_models).values()
        if isinstance(value, type) and issubclass(value, inventory_models._Model)
    ]
    fields = {name for model in models for name in model.model_fields}
    assert set(DESCRIPTIONS) == fields


def test_every_check_of_an_inventory_that_a_schema_speaks_for_is_there() -> None:
    functions = {
        name for value in vars(inventory_models).values() if (name := getattr(value, "__name__", ""))
    }
    methods = {"_is_one_of_two", "_has_one_way_in"}
    assert set(CHECKS) <= functions | methods


def test_all_modules_make_a_schema_that_knows_more_types() -> None:
    few = validator("configuration").schema["definitions"]
    many = validator("configuration", with_all=True).schema["definitions"]
    assert set(few) < set(many)
    assert len(many) > len(few) + 100
    assert len(texts(with_all=True)["configuration"]) < 2_000_000
    registry = Registry.builtin()
    modules = {module.name: module.version for module in all_modules([("StorageDsc", "5.0.0.0")], registry)}
    assert set(modules) == set(registry.modules)
    older = registry.versions("xPSDesiredStateConfiguration")[-1]
    kept = all_modules([("xPSDesiredStateConfiguration", older)], registry)
    assert [each.version for each in kept if each.name == "xPSDesiredStateConfiguration"] == [older]
