"""Values held against forms, bounds and fields; secrets anywhere in them stay references and unseen."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.diagnostics import Diagnostics, SourceFile
from provisioner.documents import parse, plain
from provisioner.inventory.model import Located
from provisioner.project import builtin_folder
from provisioner.roles.checking.values import MOST_TOLD, check_value, filled
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.model import Variable
from provisioner.roles.secret_variables import is_secret_at, references_in
from tests.compiling import compile_project, write

ROLE = """\
description: x
variables:
  disks:
    type: list
    items: mapping
    default: [{path: given}]
    description: x
    fields:
      path: {type: string, required: true, pattern: '[^*]*', form: a path without stars, description: x}
      size: {type: number, minimum: 1, maximum: 64, default: 8, description: x}
      chap: {type: secret, description: x}
      users:
        type: mapping
        items: mapping
        description: x
        fields: {login: {type: credential, required: true, description: x}, note: {type: string, description: x}}
  words: {type: list, items: string, choices: [iso, vfat], default: [iso], description: x}
  word: {type: string, default: a, pattern: 'a|b', form: a or b, description: x}
"""


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Variable]:
    folder = tmp_path_factory.mktemp("project")
    write(folder, {"roles/web/role.yaml": ROLE})
    role, problems = RoleLibrary([folder]).load("web")
    assert role is not None, [problem.render() for problem in problems]
    return dict(role.variables)


def checked(variable: Variable, text: str) -> tuple[Any, Diagnostics]:
    tree, problems = parse(text, SourceFile("inventory.yaml", text))
    assert tree is not None
    value = plain(tree)
    check_value(variable, Located(value, tree.where, tree), "variable", problems)
    return (None if problems.has_errors else filled(variable, value)), problems


def test_a_mapping_has_all_fields_and_its_default_too(variables: dict[str, Variable]) -> None:
    whole = {"path": "given", "size": 8, "chap": None, "users": None}
    assert variables["disks"].default == [whole]
    value, _ = checked(
        variables["disks"],
        "[{path: given, size: null}, {path: x, users: {a: {login: {user: u, password: 'env:P'}}}}]",
    )
    login = {"login": {"user": "u", "password": "env:P"}, "note": None}
    assert value == [whole, {**whole, "path": "x", "users": {"a": login}}]


@pytest.mark.parametrize("text", ["ab", "xa", "a\n", "", "A", "a b"])
def test_a_pattern_has_to_match_the_whole_text(variables: dict[str, Variable], text: str) -> None:
    _, problems = checked(variables["word"], repr(text).replace("'", '"'))
    assert [problem.summary for problem in problems] == ["Variable has a value that is not allowed"]
    assert "has to be a or b" in next(iter(problems)).detail


def test_choices_of_a_list_are_those_of_its_items(variables: dict[str, Variable]) -> None:
    assert checked(variables["words"], "[vfat, iso]")[0] == ["vfat", "iso"]
    value, problems = checked(variables["words"], "[iso, vfats]")
    assert value is None
    [problem] = [problem.render() for problem in problems]
    assert "Item 2 of the variable is one of: iso, vfat." in problem
    assert "Did you mean 'vfat'?" in problem


@pytest.mark.parametrize("size", ["0", "64.5", ".nan", ".inf", "-.inf", "0.999"])
def test_what_is_no_number_is_within_no_bounds(variables: dict[str, Variable], size: str) -> None:
    _, problems = checked(variables["disks"], f"[{{path: x, size: {size}}}]")
    assert len(problems) == 1


HOSTILE = [
    "[{path: x, chap: canary}]",
    "[{path: x, chap: {deep: [canary]}}]",
    "[{path: x, chapp: canary}, {path: 5}]",
    "[{path: x, users: {a: {login: {user: u, password: canary}}}}]",
    "[{path: x, users: {a: {login: {user: u, passwort: canary}}}}]",
    "[{path: x, users: {a: {login: canary}}}]",
    "[{path: x, users: {a: canary}}]",
    "[{path: x, users: canary}]",
    "[canary]",
    "canary",
    "{chap: canary}",
    "[{path: x, size: large, chap: 'env:OK', users: {a: {login: [canary, canary]}}}]",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_secret_in_the_wrong_place_is_never_quoted(
    variables: dict[str, Variable], text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, problems = checked(variables["disks"], text)
    told = "\n".join(problems.rendered())
    assert problems.has_errors
    assert "canary" not in told
    monkeypatch.chdir(tmp_path)
    inventory = (
        "site: x\nconnection: {user: u, password: 'env:P'}\nnodes: {n1: {roles: [web], variables: {disks: "
    )
    write(tmp_path, {"roles/web/role.yaml": ROLE, "inventory.yaml": f"{inventory}{text}}}}}}}\n"})
    _, problems = compile_project(tmp_path)
    assert "canary" not in "\n".join(problems.rendered())


def test_a_long_list_of_wrong_values_is_told_in_part_and_in_time(variables: dict[str, Variable]) -> None:
    text = "\n".join("- {path: x, size: large, chap: canary}" for _ in range(5000))
    start = time.process_time()
    _, problems = checked(variables["disks"], text)
    assert time.process_time() - start < 10
    assert len(problems) == MOST_TOLD + 1
    assert any(problem.summary == "Variable has more problems" for problem in problems)
    assert "canary" not in "\n".join(problems.rendered())


def test_references_are_found_wherever_they_stand(variables: dict[str, Variable]) -> None:
    disks = variables["disks"]
    value, _ = checked(
        disks, "[{path: x, chap: 'env:A', users: {u: {login: {user: env:NO, password: 'env:B'}}}}]"
    )
    assert list(references_in(disks, value)) == ["env:A", "env:B"]
    assert list(references_in(disks, [5, {"chap": 7}, {"users": [None]}])) == []
    assert is_secret_at(disks, (0, "chap"))
    assert is_secret_at(disks, (0, "users", "u", "login", "password"))
    assert not is_secret_at(disks, (0, "users", "u", "login", "user"))
    assert not is_secret_at(disks, (0, "path"))
    assert is_secret_at(disks, (0, "misspelt"))


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["path", "size", "chap", "users", "login", "user", "password", "x"]), inner
        )
    ),
)


@given(value=plain_values)
def test_any_value_is_judged_and_a_good_one_is_filled(variables: dict[str, Variable], value: Any) -> None:
    problems = Diagnostics()
    where = variables["disks"].where
    check_value(variables["disks"], Located(value, where), "variable", problems)
    if value is not None and not problems.has_errors:
        whole = filled(variables["disks"], value)
        assert all(set(each) == {"path", "size", "chap", "users"} for each in whole)
    assert list(references_in(variables["disks"], value)) is not None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("type: integer, pattern: '[a-z]', form: letters, default: 1", ["Pattern does not fit the type"]),
        ("type: integer, minimum: .nan, default: 1", ["Bound does not fit the type"]),
        ("type: number, maximum: .inf, default: 1", ["Bound does not fit the type"]),
        (
            "type: list, default: [{a: 1}], fields: {a: {type: integer, description: x}}",
            ["Variable has no fields"],
        ),
        ("type: string, default: a, fields: {b: {type: string, description: x}}", ["Variable has no fields"]),
        ("type: string, default: ab, items: integer", ["Variable has no items"]),
    ],
)
def test_what_does_not_fit_a_type_is_one_error_and_the_default_is_not_held_against_it(
    tmp_path: Path, wrong: str, told: list[str]
) -> None:
    write(
        tmp_path, {"roles/web/role.yaml": f"description: x\nvariables:\n  v: {{{wrong}, description: x}}\n"}
    )
    _, problems = RoleLibrary([tmp_path]).load("web")
    assert [problem.summary for problem in problems] == told


@pytest.mark.parametrize(
    "text", ["a" * 20_000 + "!", "a:" * 10_000 + "!", "-" * 20_000 + "!", "C:\\" + "a\\" * 9_999 + "?"]
)
def test_no_pattern_of_a_shipped_role_takes_long_for_a_long_text(text: str) -> None:
    roles = RoleLibrary([builtin_folder()])
    assert len(roles.names) > 10
    for name in roles.names:
        role, _ = roles.load(name)
        assert role is not None
        for pattern in _patterns(role.variables):
            started = time.monotonic()
            re.fullmatch(pattern, text)
            assert time.monotonic() - started < 1, (name, pattern)


def _patterns(variables: Mapping[str, Variable]) -> Iterator[str]:
    for variable in variables.values():
        if variable.pattern:
            yield variable.pattern
        yield from _patterns(variable.fields or {})
