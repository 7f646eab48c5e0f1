"""Which layers a node has, in which order they count, and that parts of merged values know their place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner import documents
from provisioner.addresses import NodeName
from provisioner.diagnostics import SourceFile
from provisioner.inventory.groups import Groups
from provisioner.inventory.loader import read_inventory
from provisioner.inventory.model import Encryption, Inventory
from provisioner.inventory.selection import select

LAYERED = """\
site: lab
connection: {user: u, password: env:P, port: 1}
encryption: {certificate: certificates}
merge: {features: unique, nova.DEFAULT: deep}
variables: {who: site, features: [a, b], nova: {DEFAULT: {debug: false, log: x}, other: {site: 1}}}
groups:
  windows: {children: [compute], roles: [base], variables: {who: windows, a: windows}, connection: {port: 2}}
  hardware: {children: [compute, gpu], variables: {who: hardware, b: hardware}, management_adapter: Ethernet}
  compute: {roles: [hyperv_host], variables: {who: compute, features: [c, --a]}, encryption: {plain_text: true}}
  gpu: {children: [compute]}
nodes:
  hv01:
    groups: [compute]
    variables: {features: [d], nova: {DEFAULT: {debug: true}, other: {node: 1}}}
    management_adapter: Ethernet 2
  hv02: {groups: [compute, windows], encryption: {certificate: own.cer}}
  hv03: {groups: [gpu]}
  hv04: {roles: [base], variables: {features: null}}
"""


def loaded(text: str) -> Inventory:
    inventory, problems = read_inventory(text, SourceFile("x.yaml", text))
    assert inventory is not None, [problem.render() for problem in problems]
    return inventory


def variables(name: str) -> dict[str, Any]:
    node = loaded(LAYERED).nodes[NodeName(name)]
    return {key: located.value for key, located in node.variables.items()}


def test_a_node_is_in_all_groups_around_its_own_and_children_count_before_parents() -> None:
    inventory = loaded(LAYERED)
    assert inventory.nodes[NodeName("hv01")].groups == ("windows", "hardware", "gpu", "compute")
    # Listed last, the parent still counts less than its child.
    assert inventory.nodes[NodeName("hv02")].groups == ("windows", "hardware", "gpu", "compute")
    assert inventory.nodes[NodeName("hv03")].groups == ("hardware", "gpu")
    assert variables("hv01")["who"] == "compute"
    assert (variables("hv01")["a"], variables("hv01")["b"]) == ("windows", "hardware")
    assert variables("hv03")["who"] == "hardware"


def test_a_parent_selects_the_nodes_of_its_children() -> None:
    inventory = loaded(LAYERED)
    assert inventory.groups["windows"] == ("hv01", "hv02")
    assert select(inventory, "@hardware,!hv02") == ("hv01", "hv03")
    assert inventory.children["hardware"] == ("compute", "gpu")


def test_roles_and_settings_come_down_the_same_ladder() -> None:
    nodes = loaded(LAYERED).nodes
    first = nodes[NodeName("hv01")]
    assert [str(use.name) for use in first.roles] == ["base", "hyperv_host"]
    assert first.connection.endpoint.port == 2
    assert [node.management_adapter for node in nodes.values()] == ["Ethernet 2", "Ethernet", "Ethernet", ""]


def test_encryption_is_one_decision_of_the_nearest_layer() -> None:
    found = [node.encryption for node in loaded(LAYERED).nodes.values()]
    shown = [
        (each.certificate, each.is_plain_text, str(each.where))
        for each in found
        if isinstance(each, Encryption)
    ]
    assert shown == [
        ("", True, "x.yaml:9:107"),
        ("own.cer", False, "x.yaml:16:64"),
        ("certificates", False, "x.yaml:3:27"),
        ("certificates", False, "x.yaml:3:27"),
    ]


def test_variables_are_merged_by_the_rules_and_null_is_no_value() -> None:
    assert variables("hv01")["features"] == ["b", "c", "d"]
    assert variables("hv01")["nova"] == {"DEFAULT": {"debug": True, "log": "x"}, "other": {"node": 1}}
    assert variables("hv02")["features"] == ["b", "c"]
    assert variables("hv03")["features"] == ["a", "b"]
    assert variables("hv04")["features"] is None


def test_each_part_of_a_merged_value_knows_its_own_place() -> None:
    node = loaded(LAYERED).nodes[NodeName("hv01")]
    nova = node.variables["nova"]
    assert str(nova.origin("DEFAULT", "log")) == "x.yaml:5:78"
    assert str(nova.origin("DEFAULT", "debug")) == "x.yaml:14:56"
    assert str(nova.origin("DEFAULT", "nothing")) == str(nova.origin("DEFAULT"))
    lines = [node.variables["features"].origin(index).line for index in range(3)]
    assert lines == [5, 9, 14]


def test_nodes_of_the_same_groups_share_what_they_inherit() -> None:
    nodes = loaded(LAYERED).nodes
    assert nodes[NodeName("hv03")].variables["who"] is nodes[NodeName("hv03")].variables["who"]
    first, second = nodes[NodeName("hv01")], nodes[NodeName("hv02")]
    assert first.variables["a"].value is second.variables["a"].value


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20),
    st.lists(st.integers(0, 7), max_size=4),
)
def test_a_parent_always_comes_before_its_child(edges: list[tuple[int, int]], listed: list[int]) -> None:
    """Of any groups without a circle: here a child always has the higher number."""
    children: dict[str, list[str]] = {f"g{n}": [] for n in range(8)}
    for first, second in edges:
        if first != second:
            children[f"g{min(first, second)}"].append(f"g{max(first, second)}")
    text = documents.dump({name: {"children": inner} for name, inner in children.items()})
    tree, _ = documents.parse(text, SourceFile("x.yaml", text))
    names = tuple(dict.fromkeys(f"g{n}" for n in listed))
    chain = Groups(tree).chain(names)
    assert set(names) <= set(chain)
    for parent, inner in children.items():
        for child in inner:
            if child in chain:
                assert chain.index(parent) < chain.index(child)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_a_circle_is_an_error_and_nothing_else_is(edges: list[tuple[int, int]]) -> None:
    groups: dict[str, dict[str, list[str]]] = {f"g{n}": {"children": []} for n in range(6)}
    for first, second in dict.fromkeys(edges):
        groups[f"g{first}"]["children"].append(f"g{second}")
    reach = {n: {b for a, b in edges if a == n} for n in range(6)}
    for _ in range(6):
        reach = {n: near | {far for step in near for far in reach[step]} for n, near in reach.items()}
    text = documents.dump({"site": "x", "connection": {"user": "u", "password": "env:P"}, "groups": groups,
                           "nodes": {"n": {"groups": [f"g{n}" for n in range(6)]}}})  # fmt: skip
    inventory, problems = read_inventory(text, SourceFile("x.yaml", text))
    has_circle = any(n in reach[n] for n in reach)
    circles = [problem for problem in problems if problem.summary == "Groups contain each other in a circle"]
    assert bool(circles) is has_circle
    assert (inventory is None) is has_circle


@pytest.mark.slow
def test_ten_thousand_nodes_are_read_and_checked() -> None:
    nodes = "".join(
        f"  n{n:05}:\n    address: 10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n    groups: [compute]\n"
        f"    variables:\n      nova_my_ip: 10.0.0.{n}\n      rack: r{n % 40}\n      slots: [1, 2, 3, 4, 5, 6, 7, 8]\n"
        for n in range(10_000)
    )
    text = f"site: x\nconnection: {{user: u, password: env:P}}\ngroups: {{compute: {{roles: [r]}}}}\nnodes:\n{nodes}"
    inventory = loaded(text)
    assert len(inventory.groups["compute"]) == 10_000
    assert inventory.nodes[NodeName("n09999")].variables["slots"].value == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_large_inventory_is_admitted_and_a_bomb_is_not() -> None:
    rounds = "".join(f"  a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 20) + "]\n" for n in range(1, 7))
    text = f"site: x\nvariables:\n  a0: &a0 [1]\n{rounds}nodes: {{}}\n"
    _, problems = read_inventory(text, SourceFile("x.yaml", text))
    assert "Document is too large" in [problem.summary for problem in problems]
    many = "".join(f"  v{n}: [{', '.join('1' * 100)}]\n" for n in range(2_500))
    assert len(loaded(MINIMAL.replace("nodes", f"variables:\n{many}nodes")).nodes) == 1


MINIMAL = "site: x\nconnection: {user: u, password: env:P}\nnodes: {hv01: {roles: [r]}}\n"
