"""Variables: the node's value, else the default; plain values, never evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.roles.model import VariableType, kind_of
from tests.compiling import compile_project, write

ACCEPTED: dict[VariableType, list[Any]] = {
    VariableType.STRING: ["", "5"],
    VariableType.INTEGER: [0, -5],
    VariableType.NUMBER: [0, 1.5],
    VariableType.BOOLEAN: [True, False],
    VariableType.LIST: [[], ["a"]],
    VariableType.MAPPING: [{}, {"a": 1}],
}


@pytest.mark.parametrize("variable_type", list(VariableType))
def test_a_type_takes_its_own_values_and_no_others(variable_type: VariableType) -> None:
    for other, values in ACCEPTED.items():
        for value in values:
            expected = other is variable_type or (variable_type, other) in {
                (VariableType.NUMBER, VariableType.INTEGER),
                # Which keys an installer has is told one by one.
                (VariableType.INSTALLER, VariableType.MAPPING),
                (VariableType.PACKAGE, VariableType.MAPPING),
            }
            # 0 and -5 are of both number types; 1.5 is a number only.
            if variable_type is VariableType.INTEGER and other is VariableType.NUMBER:
                expected = isinstance(value, int)
            assert variable_type.accepts(value) is expected, (variable_type, value)
    assert not variable_type.accepts(None)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "an integer"),
        (1.5, "a decimal number"),
        ("a", "text"),
        ((1,), "a list"),
        ({}, "a mapping"),
    ],
)
def test_a_value_is_named_by_its_kind(value: Any, name: str) -> None:
    assert kind_of(value) == name


ROLE = """\
description: x
modules: {PSDscResources: "2.12.0.0"}
configurations: [web]
variables:
  title: {type: string, default: nothing, description: x}
"""
CONFIGURATION = """\
resources:
  - name: one
    type: PSDscResources/Service
    properties: {Name: one, Description: "{{ title }}"}
"""


@pytest.mark.parametrize(
    ("given", "seen"),
    [("{}", "nothing"), ("{title: something}", "something"), ("{title: null}", "nothing")],
)
def test_the_node_s_value_comes_before_the_default_and_null_is_no_value(
    given: str, seen: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert described(given, tmp_path, monkeypatch) == seen


def test_braces_in_a_value_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = '{title: "{{ node.name }} {% if true %}\\n  - name: injected"}'
    assert described(given, tmp_path, monkeypatch) == "{{ node.name }} {% if true %}\n  - name: injected"


def described(given: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folder)
    inventory = f"""\
site: test
connection: {{transport: psrp, user: admin, password: 'env:PASSWORD'}}
nodes:
  n1: {{address: 192.0.2.1, roles: [web], variables: {given}}}
"""
    write(
        folder,
        {"inventory.yaml": inventory, "roles/web/role.yaml": ROLE, "dsc_configs/web.dsc.yaml": CONFIGURATION},
    )
    configurations, problems = compile_project(folder)
    assert not problems.has_errors, [problem.render() for problem in problems]
    [resource] = configurations["n1"].resources
    return str(resource.properties["Description"])
