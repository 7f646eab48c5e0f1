"""What is the same on two nodes is evaluated once, and nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.catalogue.registry import Registry
from provisioner.inventory.loader import load_inventory
from provisioner.roles.expand import expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.memo import Memo, Values, frozen
from provisioner.roles.model import Expansion
from provisioner.roles.recent import Recent
from tests.compiling import write

ROLE = """\
description: A role for tests.
variables:
  path: {type: string, default: 'C:\\a', description: A folder.}
  flag: {type: list, default: [1], description: Anything.}
  names: {type: list, default: [a, b], description: Names.}
modules: {PSDscResources: "2.12.0.0"}
configurations: [web]
"""
RESOURCES = """\
resources:
  - {name: literal, type: PSDscResources/Service, properties: {Name: W3SVC}}
  - {name: path, type: PSDscResources/Service, properties: {Name: a, Path: "{{ path }}"}}
  - {name: flag, type: PSDscResources/Service, properties: {Name: b, Description: "is {{ flag }}"}}
  - {name: node, type: PSDscResources/Service, properties: {Name: c, Description: "{{ node.name }}"}}
  - {name: file, type: PSDscResources/Service, properties: {Name: d, Description: "{{ template('t.txt') }}"}}
  - {name: "{{ item }}{{ index }}", type: PSDscResources/Service, forEach: "{{ names }}", properties: {Name: "{{ item }}"}}
  - {name: left, type: PSDscResources/Service, condition: "{{ path == 'never' }}", properties: {Name: e}}
  - {name: chosen, type: PSDscResources/Service, properties: {Name: f, Description: "{{ template(names[2] | default('t.txt')) }}"}}
"""
INVENTORY = """\
site: test
connection: {{user: admin, password: 'env:PASSWORD'}}
nodes:
  n1: {{address: 192.0.2.1, roles: [web], variables: {{{one}}}}}
  n2: {{address: 192.0.2.2, roles: [web], variables: {{{two}}}}}
"""


def expansions(folder: Path, one: str, two: str, memo: Memo | None) -> tuple[Expansion, Expansion]:
    write(
        folder,
        {
            "inventory.yaml": INVENTORY.format(one=one, two=two),
            "roles/web/role.yaml": ROLE,
            "roles/web/templates/t.txt": "{% for name in names %}{{ name }};{% endfor %}",
            "dsc_configs/web.dsc.yaml": RESOURCES,
        },
    )
    inventory, _ = load_inventory(folder / "inventory.yaml")
    assert inventory is not None
    library, registry = RoleLibrary([folder]), Registry.builtin()
    made = []
    for node in inventory.nodes.values():
        expansion, problems = expand(node, library, registry, site="test", memo=memo)
        assert not problems.has_errors, [problem.render() for problem in problems]
        made.append(expansion)
    return made[0], made[1]


def shared(folder: Path, one: str = "", two: str = "") -> set[str]:
    """Return the names of the resources that are one object on both nodes."""
    made = expansions(folder, one, two, Memo())
    plain = expansions(folder, one, two, None)
    for seen, alone in zip(made, plain, strict=True):
        assert [each.name for each in seen.declarations] == [each.name for each in alone.declarations]
        assert [[value.value.data for value in each.properties] for each in seen.declarations] == [
            [value.value.data for value in each.properties] for each in alone.declarations
        ]
        assert [each.name for each in seen.left_out] == [each.name for each in alone.left_out]
    first, second = made
    objects = {id(each) for each in first.declarations}
    return {each.name for each in second.declarations if id(each) in objects}


ALL = {"literal", "path", "flag", "file", "a0", "b1"}


def test_resources_of_two_equal_nodes_are_one_object_but_what_names_the_node(tmp_path: Path) -> None:
    assert shared(tmp_path) == ALL


@pytest.mark.parametrize(
    ("one", "two", "differ"),
    [
        ("path: 'C:\\a'", "path: 'C:\\b'", {"path"}),
        ("flag: [1]", "flag: [true]", {"flag"}),
        ("flag: [[1]]", "flag: [1]", {"flag"}),
        ("flag: [1]", "flag: [1.0]", {"flag"}),
        ("flag: [0.0]", "flag: [-0.0]", {"flag"}),
        ("flag: [{a: 1, b: 2}]", "flag: [{b: 2, a: 1}]", {"flag"}),
        ("flag: ['1']", "flag: [1]", {"flag"}),
        ("names: [a, b]", "names: [b, a]", {"file", "a0", "b1"}),
    ],
)
def test_only_resources_that_read_a_differing_variable_are_evaluated_again(
    tmp_path: Path, one: str, two: str, differ: set[str]
) -> None:
    assert shared(tmp_path, one, two) == ALL - differ


def test_a_template_with_a_problem_is_evaluated_on_every_node(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "inventory.yaml": INVENTORY.format(one="", two=""),
            "dsc_configs/web.dsc.yaml": "resources:\n  - {name: a, type: PSDscResources/Service, condition: '{{ 1 }}'}\n",
        },
    )
    inventory, _ = load_inventory(tmp_path / "inventory.yaml")
    assert inventory is not None
    memo = Memo()
    for node in inventory.nodes.values():
        _, problems = expand(node, RoleLibrary([tmp_path]), Registry.builtin(), memo=memo)
        assert any(f"'{node.name}'" in problem.detail for problem in problems)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
)


@given(PLAIN, PLAIN)
def test_two_values_have_one_key_exactly_when_they_look_the_same(one: Any, two: Any) -> None:
    assert (frozen(one) == frozen(two)) == (repr(one) == repr(two))


def test_a_variable_that_is_absent_is_not_one_that_is_null() -> None:
    assert Values({}).of(("a",)) != Values({"a": None}).of(("a",))


def test_a_memo_forgets_what_was_not_needed_for_longest() -> None:
    kept: Recent[str] = Recent(2)
    kept.put("a", "1")
    kept.put("b", "2")
    assert kept.get("a") == "1"
    kept.put("c", "3")
    assert [kept.get(key) for key in "abc"] == ["1", None, "3"]
    assert len(kept) == 2


def test_a_template_that_is_new_on_every_node_is_given_up_and_one_that_is_shared_is_not(
    tmp_path: Path,
) -> None:
    nodes = "".join(f"  n{each}: {{address: 192.0.2.{each}, roles: [web]}}\n" for each in range(1, 200))
    write(
        tmp_path,
        {
            "inventory.yaml": INVENTORY.split("  n1:", maxsplit=1)[0].replace("{{", "{").replace("}}", "}")
            + nodes,
            "roles/web/role.yaml": ROLE,
            "roles/web/templates/t.txt": "text",
            "dsc_configs/web.dsc.yaml": RESOURCES,
        },
    )
    inventory, _ = load_inventory(tmp_path / "inventory.yaml")
    assert inventory is not None
    library, registry, memo = RoleLibrary([tmp_path]), Registry.builtin(), Memo()
    made = [expand(node, library, registry, memo=memo)[0] for node in inventory.nodes.values()]
    first, last = ({each.name: each for each in expansion.declarations} for expansion in (made[0], made[-1]))
    assert last["path"] is first["path"]
    assert [first["node"].may_recur, last["node"].may_recur] == [True, False]
    assert last["node"].properties[1].value.data == "n199"
    assert last["chosen"].may_recur is False, "nobody can tell what it reads"
