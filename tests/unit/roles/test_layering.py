"""Variables that are merged with the default of their role; what is wrong with a part is said at that part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner import documents
from provisioner.inventory.loader import load_inventory
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.variables import bind, roles_of, unknown_variables
from tests.compiling import write


def project(folder: Path, variables: dict[str, Any], inventory: dict[str, Any]) -> None:
    role = {
        "description": "x",
        "variables": {name: {"description": "x", **variable} for name, variable in variables.items()},
    }
    whole = {"site": "lab", "connection": {"user": "u", "password": "env:P"}, **inventory}
    files = {"inventory.yaml": documents.dump(whole), "roles/web/role.yaml": documents.dump(role)}
    write(folder, files)


def outcome(folder: Path, name: str = "n1") -> tuple[dict[str, Any], str]:
    """Bind the one role of a node; return the values, and all messages."""
    inventory, problems = load_inventory(folder / "inventory.yaml")
    assert inventory is not None, [problem.render() for problem in problems]
    library = RoleLibrary([folder])
    node = next(node for node in inventory.nodes.values() if node.name == name)
    roles, found = roles_of(node, library)
    assert not found.has_errors, [problem.render() for problem in found]
    problems.extend(unknown_variables(inventory, library))
    values, found = bind(roles["web"], node, node.where)
    problems.extend(found)
    said = "\n".join(problem.render() for problem in problems)
    return values, said.replace(f"{folder}/", "")


NODES = {"n1": {"roles": ["web"]}, "n2": {"roles": ["web"]}}


def test_the_default_of_a_role_is_the_widest_layer(tmp_path: Path) -> None:
    project(
        tmp_path,
        {
            "features": {"type": "list", "merge": "unique", "default": ["Core", "Old"]},
            "options": {"type": "mapping", "merge": "deep", "default": {"a": {"x": 1, "y": 1}}},
            "plain": {"type": "list", "default": ["never"]},
        },
        {
            "variables": {"features": ["Site"], "plain": ["site"], "options": {"a": {"y": 2}}},
            "nodes": {"n1": {"roles": ["web"], "variables": {"features": ["--Old", "Node"]}}},
        },
    )
    values, said = outcome(tmp_path)
    assert said == ""
    assert values["features"] == ["Core", "Site", "Node"]
    assert values["options"] == {"a": {"x": 1, "y": 2}}
    assert values["plain"] == ["site"]


def test_the_inventory_decides_over_the_role(tmp_path: Path) -> None:
    project(
        tmp_path,
        {"one": {"type": "list", "merge": "unique", "default": [1]}, "two": {"type": "list", "default": [1]}},
        {"merge": {"one": "replace", "two": "append"}, "variables": {"one": [2], "two": [1]}, "nodes": NODES},
    )
    values, _ = outcome(tmp_path)
    assert values == {"one": [2], "two": [1, 1]}


@pytest.mark.parametrize("given", [{}, {"v": None}])
def test_without_a_value_the_default_is_taken_as_it_is(given: dict[str, Any], tmp_path: Path) -> None:
    project(
        tmp_path,
        {"v": {"type": "list", "merge": "unique", "default": [1]}},
        {"variables": given, "nodes": NODES},
    )
    assert outcome(tmp_path)[0] == {"v": [1]}


def test_a_null_takes_away_what_wider_layers_give_and_leaves_the_default(tmp_path: Path) -> None:
    project(
        tmp_path,
        {"v": {"type": "list", "merge": "unique", "default": [1]}},
        {
            "variables": {"v": [2]},
            "groups": {"g": {"variables": {"v": None}}},
            "nodes": {
                "n1": {"roles": ["web"], "groups": ["g"], "variables": {"v": [3]}},
                "n2": NODES["n2"],
            },
        },
    )
    assert outcome(tmp_path, "n1")[0] == {"v": [1, 3]}
    assert outcome(tmp_path, "n2")[0] == {"v": [1, 2]}


def test_the_rule_of_a_part_merges_with_the_default_too(tmp_path: Path) -> None:
    project(
        tmp_path,
        {"v": {"type": "mapping", "default": {"l": [1], "other": 1}}},
        {"merge": {"v.l": "append"}, "variables": {"v": {"l": [2]}}, "nodes": NODES},
    )
    assert outcome(tmp_path)[0] == {"v": {"l": [1, 2], "other": 1}}


def test_a_knock_out_that_hits_on_some_node_is_no_mistake(tmp_path: Path) -> None:
    nodes = {name: {"roles": ["web"], "groups": ["g"]} for name in NODES}
    nodes["n1"]["groups"] = ["wide", "g"]
    project(
        tmp_path,
        {"v": {"type": "list", "merge": "unique", "default": ["d"]}},
        {
            "groups": {
                "wide": {"variables": {"v": ["w"]}},
                "g": {"variables": {"v": ["--w", "--d", "--nothing"]}},
            },
            "nodes": nodes,
        },
    )
    values, said = outcome(tmp_path)
    assert values == {"v": []}
    assert said.count("Nothing to take away") == 1
    assert "'--nothing' does nothing" in said


def test_a_variable_no_role_has_is_said_once_however_many_nodes_have_it(tmp_path: Path) -> None:
    nodes = {f"n{number}": {"roles": ["web"], "variables": {"titel": number}} for number in range(1, 4)}
    project(tmp_path, {"title": {"type": "integer", "default": 0}}, {"nodes": nodes})
    said = outcome(tmp_path)[1]
    assert said.count("Variable is used by no role") == 1
    assert "It is given in 3 places." in said
    assert "Did you mean 'title'?" in said


def test_layers_of_different_kinds_are_warned_of(tmp_path: Path) -> None:
    project(
        tmp_path,
        {"v": {"type": "mapping", "merge": "deep"}},
        {
            "variables": {"v": {"a": [1]}},
            "nodes": {"n1": {"roles": ["web"], "variables": {"v": {"a": {"b": 1}}}}},
        },
    )
    values, said = outcome(tmp_path)
    assert values == {"v": {"a": {"b": 1}}}
    assert "Layers cannot be merged" in said
    assert "a list in a wider layer, a mapping here" in said


def test_what_is_wrong_with_an_item_is_said_where_the_item_stands(tmp_path: Path) -> None:
    project(
        tmp_path,
        {"v": {"type": "list", "items": "integer", "merge": "append", "default": [0]}},
        {"variables": {"v": [1, "site"]}, "nodes": {"n1": {"roles": ["web"], "variables": {"v": ["node"]}}}},
    )
    said = outcome(tmp_path)[1]
    assert "inventory.yaml:8:7: error: Variable has the wrong type" in said
    assert "inventory.yaml:15:11: error: Variable has the wrong type" in said
    assert "item 3 is text" in said


CANARY = "cAnArY"


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("secret", CANARY, "Secret is written in the inventory"),
        ("secret", f"C:\\{CANARY}", "Secret is written in the inventory"),
        ("secret", [CANARY], "this is a list"),
        ("secret", {"a": CANARY}, "this is a mapping"),
        ("credential", CANARY, "this is text"),
        ("credential", {"user": "u", "password": CANARY}, "its password says where a secret is"),
        ("credential", {"user": "u", "password": {"x": CANARY}}, "and its password is a reference"),
        (
            "credential",
            {"user": "u", "pasword": CANARY},
            "Did you mean 'password'?|its 'password' is missing",
        ),
        ("credential", {"user": 5, "password": CANARY}, "The user of a credential is text"),
        ("credential", {"password": CANARY}, "its 'user' is missing"),
        ("credential", {"user": [CANARY], "password": "env:X"}, "The user of a credential is text"),
        ("credential", [CANARY], "this is a list"),
    ],
)
@pytest.mark.parametrize("is_item", [False, True])
def test_a_secret_that_stands_there_is_never_quoted(
    kind: str, value: Any, said: str, tmp_path: Path, *, is_item: bool
) -> None:
    declared = {"type": "list", "items": kind} if is_item else {"type": kind}
    project(
        tmp_path,
        {"v": declared},
        {"variables": {"v": ["env:A", value] if is_item else value}, "nodes": NODES},
    )
    printed = outcome(tmp_path)[1]
    if is_item and kind == "credential":
        assert "Item 1 of the variable 'v'" in printed
    assert all(part in printed for part in said.split("|")), printed
    assert CANARY not in printed
    assert "inventory.yaml:" in printed


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("type: credential", f"{{user: u, pasword: {CANARY}}}"),
        ("type: credential", f"{{user: 5, password: {CANARY}}}"),
        ("type: credential", f"{{user: [{CANARY}], password: env:X}}"),
        ("type: credential", f"{{user: u, key: {CANARY}, password: {CANARY}}}"),
        ("type: credential", f"{{password: [env:X, {CANARY}]}}"),
        ("type: credential", f"[{{{CANARY}: 1}}, {CANARY}]"),
        ("type: credential", f"{CANARY} {CANARY}"),
        ("type: list, items: secret", f"[{CANARY}, env:A, {CANARY}]"),
        ("type: list, items: secret", f"[{{{CANARY}: 1}}, [{CANARY}]]"),
        (
            "type: list, items: credential",
            f"[{{user: 5, password: {CANARY}}}, {{user: 6, password: {CANARY}}}]",
        ),
        ("type: mapping, items: secret", f"{{a: {CANARY}, b: {CANARY}}}"),
        ("type: mapping, items: secret", CANARY),
    ],
)
def test_nothing_beside_the_mistake_in_its_line_is_quoted_either(
    kind: str, written: str, tmp_path: Path
) -> None:
    project(tmp_path, {"v": {"type": "KIND"}}, {"variables": {"v": "HERE"}, "nodes": NODES})
    for path, old, new in (("inventory.yaml", "HERE", written), ("roles/web/role.yaml", "type: KIND", kind)):
        file = tmp_path / path
        text = file.read_text().replace(
            old, new.replace(", items", "\n    items") if old == "type: KIND" else new
        )
        file.write_text(text)
    printed = outcome(tmp_path)[1]
    assert "error:" in printed
    assert CANARY not in printed


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("secret", "env:NAME"),
        ("secret", "file:.secrets/x|url|oslo"),
        ("credential", {"user": "DOM\\u", "password": "env:P"}),
    ],
)
def test_a_reference_is_taken_as_it_is(kind: str, value: Any, tmp_path: Path) -> None:
    project(tmp_path, {"v": {"type": kind}}, {"variables": {"v": value}, "nodes": NODES})
    assert outcome(tmp_path) == ({"v": value}, "")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"type": "string", "merge": "deep"}, "'deep' cannot merge values of type string"),
        ({"type": "mapping", "merge": "unique"}, "'unique' cannot merge values of type mapping"),
        ({"type": "list", "merge": "uniq"}, "Did you mean 'unique'?"),
        ({"type": "list", "merge": "unique"}, ""),
        ({"type": "string", "merge": "replace"}, ""),
    ],
)
def test_a_strategy_has_to_fit_the_type(declared: dict[str, str], said: str, tmp_path: Path) -> None:
    project(tmp_path, {"v": declared}, {"nodes": NODES})
    (tmp_path / "dsc_configs").mkdir(exist_ok=True)
    role, problems = RoleLibrary([tmp_path]).load("web")
    printed = "\n".join(problem.render() for problem in problems)
    assert said in printed
    assert (role is None) is bool(said)


def test_an_unknown_role_is_reported_where_it_is_named(tmp_path: Path) -> None:
    project(tmp_path, {}, {"nodes": {"n1": {"roles": ["wed"]}}})
    inventory, _ = load_inventory(tmp_path / "inventory.yaml")
    assert inventory is not None
    _, problems = roles_of(next(iter(inventory.nodes.values())), RoleLibrary([tmp_path]))
    assert "Did you mean 'web'?" in next(iter(problems)).render()
