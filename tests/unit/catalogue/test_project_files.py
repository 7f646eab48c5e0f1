"""A project's own catalogue files stand beside the shipped ones; a wrong one is told of with its place."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue.module_file import read_module
from provisioner.catalogue.module_text import write_module
from provisioner.catalogue.registry import Registry
from provisioner.errors import InputError

MODULE: dict[str, Any] = {
    "module": "Own",
    "version": "1.0.0",
    "resources": [
        {
            "name": "Thing",
            "class": "OWN_Thing",
            "properties": [
                {"name": "Name", "qualifier": "Key"},
                {"name": "Size", "type": "uint32", "range": [1, 9], "default": 3},
                {"name": "Rule", "embedded_class": "OWN_Rule", "array": True},
            ],
        },
        {
            "name": "Things",
            "kind": "composite",
            "expands_to": "Thing",
            "split_by": "Names",
            "properties": [{"name": "Names", "array": True}],
        },
    ],
    "classes": [{"name": "OWN_Rule", "properties": [{"name": "Word", "value_map": ["a"], "values": ["b"]}]}],
}


def changed(path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The module with one place changed; None takes the entry away."""
    module: Any = json.loads(json.dumps(MODULE))
    place = module
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return dict(module)


def problems_of(folder: Path, text: str, name: str = "Own@1.0.0.json") -> list[str]:
    (folder / name).write_text(text, encoding="utf-8")
    registry = Registry.of(folder)
    with pytest.raises(InputError) as caught:
        registry.module("Own", "1.0.0")
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


def test_a_file_of_the_project_is_known_and_wins_over_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "Own@1.0.0.json").write_text(json.dumps(MODULE), encoding="utf-8")
    shipped = Registry.builtin().module("xTimeZone", "1.6.0.0")
    assert shipped is not None
    text = write_module(shipped).replace('"IsSingleInstance"', '"IsSingleInstances"')
    (tmp_path / "xTimeZone@1.6.0.0.json").write_text(text, encoding="utf-8")
    (tmp_path / "README.md").write_text("notes", encoding="utf-8")
    registry = Registry.of(tmp_path, tmp_path / "not-there")
    thing = registry.resource_type("own", "thing")
    assert thing is not None
    size = thing.property("size")
    assert size is not None
    assert size.limits is not None
    assert (size.limits.range, size.limits.is_checked_on_node, size.default) == ((1, 9), True, 3)
    module = registry.module("Own")
    assert module is not None
    assert module.channel == "project"
    rule = registry.embedded_class("Own", "1.0.0", "own_rule")
    assert rule is not None
    own = registry.resource_type("xTimeZone", "xTimeZone", "1.6.0.0")
    assert own is not None
    assert own.property("IsSingleInstances")
    assert registry.versions("xTimeZone") == ("1.6.0.0",)
    assert Registry.builtin().module("Own") is None


def test_a_later_folder_wins_over_an_earlier_one_whatever_the_case(tmp_path: Path) -> None:
    for name, summary in (("a", "first"), ("b", "second")):
        (tmp_path / name).mkdir()
        module = changed(("resources", 0, "summary"), summary)
        module["module"] = "Own" if name == "a" else "OWN"
        (tmp_path / name / f"{module['module']}@1.0.0.json").write_text(json.dumps(module), encoding="utf-8")
    registry = Registry.of(tmp_path / "a", tmp_path / "b")
    found = registry.resource_type("own", "Thing")
    assert found is not None
    assert (found.module, found.summary) == ("OWN", "second")
    assert registry.versions("Own") == ("1.0.0",)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("module",), None, "The field 'module' is missing or empty."),
        (("module",), 5, "module: It must be text."),
        (("resources",), "x", "resources: It must be a list."),
        (("resources", 0), "x", "resources[0]: A JSON object is expected here."),
        (("resources", 0, "class"), None, "resources[0]: The CIM class is missing: add 'class'."),
        (("resources", 1, "class"), "X", "resources[1]: A composite has no class."),
        (("resources", 0, "kind"), "mov", "resources[0].kind: 'mov' is not known here."),
        (("resources", 1, "split_by"), "Nams", "resources[1].split_by: There is no property 'Nams'."),
        (("resources", 1, "name"), "THING", "resources[1]: 'THING' is here twice."),
        (
            ("resources", 0, "properties", 1, "type"),
            "uint23",
            "resources[0].properties[1].type: 'uint23' is not known here.",
        ),
        (
            ("resources", 0, "properties", 1, "name"),
            "name",
            "resources[0].properties[1]: 'name' is here twice.",
        ),
        (
            ("resources", 0, "properties", 1, "range"),
            [1],
            "resources[0].properties[1].range: It must be two numbers, the smaller one first.",
        ),
        (
            ("resources", 0, "properties", 1, "range"),
            [True, 1],
            "resources[0].properties[1].range: It must be two numbers, the smaller one first.",
        ),
        (
            ("resources", 0, "properties", 1, "rang"),
            [1, 2],
            "resources[0].properties[1].rang: There is no such field.",
        ),
        (
            ("resources", 0, "properties", 2, "array"),
            1,
            "resources[0].properties[2].array: It must be true or false.",
        ),
        (
            ("resources", 0, "properties", 1, "default"),
            {},
            "resources[0].properties[1].default: It must be a plain value.",
        ),
        (
            ("resources", 0, "properties", 2, "value_map"),
            ["a", 1],
            "resources[0].properties[2].value_map: It must be a list of texts.",
        ),
        (
            ("classes", 0, "properties", 0, "values"),
            ["a", "b"],
            "classes[0].properties[0].values: It must be as long as 'value_map'.",
        ),
        (
            ("resources", 0, "properties", 0, "qualifier"),
            5,
            "resources[0].properties[0].qualifier: It must be text.",
        ),
        (
            ("resources", 0, "properties", 0, "value_map"),
            5,
            "resources[0].properties[0].value_map: It must be a list of texts.",
        ),
        (
            ("resources", 0, "properties", 1, "range"),
            [9, 1],
            "resources[0].properties[1].range: It must be two numbers, the smaller one first.",
        ),
        (
            ("resources", 0, "properties", 2, "embedded_class"),
            "OWN_Rul",
            "resources[0].properties[2].embedded_class: The class 'OWN_Rul' is not below 'classes'.",
        ),
        (("resources", 1, "expands_to"), "Thin", "resources[1].expands_to: There is no resource 'Thin'."),
        (("notes",), 5, "notes: It must be a list of texts."),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(
    path: tuple[str | int, ...], value: Any, said: str, tmp_path: Path
) -> None:
    [problem] = problems_of(tmp_path, json.dumps(changed(path, value), indent=1))
    first, *rest = problem.splitlines()
    assert first.startswith("Own@1.0.0.json:")
    assert first.endswith("error: Catalogue file is not as it must be")
    assert said in "\n".join(rest)
    if path[-1] in {"type", "range", "rang", "array"}:
        line = int(first.split(":")[1])
        assert f'"{path[-1]}"' in json.dumps(changed(path, value), indent=1).splitlines()[line - 1]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    module = changed(("resources", 0, "kind"), "mov")
    module["classes"][0]["properties"][0]["type"] = "txt"
    assert len(problems_of(tmp_path, json.dumps(module))) == 2


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('{\n "module": }', "Own@1.0.0.json:2:12", "cannot be read as JSON"),
        ("", "Own@1.0.0.json:1:1", "cannot be read as JSON"),
        ("[]", "Own@1.0.0.json:1:1", "A JSON object is expected here."),
        ("[" * 100_000, "Own@1.0.0.json:1:1", "nested too deeply"),
        ('{"module": NaN}', "Own@1.0.0.json:1:1", "NaN is no number"),
        ('{"module": ' + "9" * 5000 + "}", "Own@1.0.0.json:1:1", "cannot be read as JSON"),
    ],
)
def test_a_file_that_is_no_json_is_told_of(text: str, place: str, words: str, tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, text)
    assert problem.startswith(f"{place}: error: ")
    assert words in problem


def test_a_file_that_is_not_utf_8_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "Own@1.0.0.json").write_bytes(b'{"module": "\xff"}')
    with pytest.raises(InputError, match="UTF-8"):
        Registry.of(tmp_path).module("Own")


def test_the_name_of_a_file_says_what_is_in_it(tmp_path: Path) -> None:
    [problem] = problems_of(tmp_path, json.dumps(changed(("version",), "2.0.0")))
    assert "The file is about Own 2.0.0." in problem
    assert "Rename it to Own@2.0.0.json." in problem
    (tmp_path / "Own.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=r"A catalogue file is named Module@Version\.json"):
        Registry.of(tmp_path)


def test_a_file_with_wrong_bytes_is_refused_or_read_but_never_breaks_the_reader(tmp_path: Path) -> None:
    dice = random.Random(1)
    module = Registry.builtin().module("AccessControlDsc", "1.4.3")
    assert module is not None
    text = write_module(module)
    pieces = ["{", "}", "[", "]", '"', ",", ":", "0", "null", "true", "NaN", "\\", "\0", "\ud800"[:1], "é"]
    refused = []
    for _ in range(300):
        changed_text = text
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(changed_text))
            changed_text = changed_text[:at] + dice.choice(pieces) + changed_text[at + dice.randint(0, 3) :]
        try:
            read_module(changed_text, "a.json")
        except InputError as error:
            refused.append(all(problem.startswith("a.json:") for problem in error.problems))
    assert len(refused) > 200
    assert all(refused)
