from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from provisioner import documents
from provisioner.addresses import Endpoint, NodeName, SecretRef
from provisioner.diagnostics import SourceFile
from provisioner.inventory.loader import load_inventory, read_inventory
from provisioner.inventory.model import RESERVED_VARIABLES, Framing, Inventory, MofEncoding, Node

FULL = """\
site: lab
connection:
  user: provisioner
  password: file:.secrets/lab
  connect_timeout: 5
variables: {a: site, b: site, c: site, d: {deep: site}}
lab: {x: 1}
groups:
  compute:
    roles: [hyperv_host, nova_compute]
    variables: {b: compute, c: compute}
    connection: {port: 15985, framing: raw}
    lab: {x: 2}
  canary:
    roles: [nova_compute, canary_role]
    variables: {c: canary, d: {other: canary}}
    connection: {port: 25985}
  empty:
nodes:
  hv01:
    address: 127.20.0.11
    groups: [compute, canary]
    roles: [own_role, hyperv_host]
    variables: {e: [1, {f: null}]}
    connection: {user: other, encoding: utf-8, reboot_timeout: 1.5}
    lab: {x: 3}
  hv02: {groups: [canary, compute]}
  st01: {roles: [iscsi_target], connection: {tls: true, password: env:STORAGE}}
"""


def loaded(text: str) -> Inventory:
    inventory, problems = read_inventory(text, SourceFile("inventory.yaml", text))
    assert [problem.render() for problem in problems] == []
    assert inventory is not None
    return inventory


def node(name: str) -> Node:
    return loaded(FULL).nodes[NodeName(name)]


def variables(name: str) -> dict[str, Any]:
    return {key: located.value for key, located in node(name).variables.items()}


def test_nodes_and_groups_keep_the_order_of_the_file() -> None:
    inventory = loaded(FULL)
    assert (inventory.site, inventory.path) == ("lab", "inventory.yaml")
    assert list(inventory.nodes) == ["hv01", "hv02", "st01"]
    assert inventory.groups == {"compute": ("hv01", "hv02"), "canary": ("hv01", "hv02"), "empty": ()}


def test_the_nearest_connection_setting_wins_key_by_key() -> None:
    connection = node("hv01").connection
    assert connection.endpoint == Endpoint("127.20.0.11", 25985)
    assert (connection.user, connection.password) == ("other", SecretRef("file", ".secrets/lab"))
    assert (connection.framing, connection.encoding) == (Framing.RAW, MofEncoding.UTF8)
    assert (connection.connect_timeout_s, connection.reboot_timeout_s) == (5.0, 1.5)
    assert (connection.reconnect_timeout_s, connection.job_timeout_s) == (240.0, 7200.0)
    assert connection.transport == "psrp"


def test_a_group_listed_later_wins_over_one_listed_earlier() -> None:
    assert node("hv01").connection.endpoint.port == 25985
    assert node("hv02").connection.endpoint.port == 15985
    assert variables("hv01")["c"] == "canary"
    assert variables("hv02")["c"] == "compute"


def test_variables_are_replaced_whole_and_know_where_they_came_from() -> None:
    assert variables("hv01") == {
        "a": "site", "b": "compute", "c": "canary", "d": {"other": "canary"}, "e": [1, {"f": None}],
    }  # fmt: skip
    positions = {key: located.where.line for key, located in node("hv01").variables.items()}
    assert positions == {"a": 6, "b": 11, "c": 16, "d": 16, "e": 24}


def test_roles_come_from_the_groups_first_and_only_once() -> None:
    roles = [(role.name, role.where.line) for role in node("hv01").roles]
    assert roles == [("hyperv_host", 10), ("nova_compute", 10), ("canary_role", 15), ("own_role", 23)]


def test_lab_sections_are_handed_on_with_the_nearest_last() -> None:
    assert [documents.plain(lab) for lab in node("hv01").lab] == [{"x": 1}, {"x": 2}, {"x": 3}]
    assert [documents.plain(lab) for lab in node("st01").lab] == [{"x": 1}]


def test_an_address_is_the_name_and_a_port_is_that_of_winrm_unless_given() -> None:
    assert node("st01").connection.endpoint == Endpoint("st01", 5986, tls=True)
    assert loaded(MINIMAL).nodes[NodeName("hv01")].connection.endpoint == Endpoint("hv01", 5985)


def summaries(text: str) -> list[str]:
    return [problem.summary for problem in read_inventory(text, SourceFile("inventory.yaml", text))[1]]


@pytest.mark.parametrize(
    "address",
    ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "hv_01.example", "3com.example", "hv-01"],
)
def test_an_address_is_a_host_or_a_number(address: str) -> None:
    assert summaries(MINIMAL.replace("roles:", f"address: '{address}', roles:")) == []


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.1:5985",
        "hv01:5985",
        "999.0.2.1",
        "192.0.2",
        "[2001:db8::1]",
        "1::2::3",
        "-hv01",
        "http://hv01",
    ],
)
def test_what_can_be_no_address_is_refused(address: str) -> None:
    found = summaries(MINIMAL.replace("roles:", f"address: '{address}', roles:"))
    assert found == ["Address has a wrong form"]


def test_no_document_of_a_node_is_written_over_the_settings_of_another() -> None:
    text = MINIMAL.replace("nodes: {", "nodes: {HV01.meta: {roles: [r]}, x.meta: {roles: [r]}, ")
    _, problems = read_inventory(text, SourceFile("inventory.yaml", text))
    [problem] = problems
    assert problem.summary == "Two nodes share a file"
    assert "'hv01' (line 3)" in problem.detail
    assert "'HV01.meta'" in problem.detail


MINIMAL = "site: x\nconnection: {user: u, password: env:P}\nnodes: {hv01: {roles: [r]}}\n"


def test_the_defaults_of_a_connection_are_the_documented_ones() -> None:
    connection = loaded(MINIMAL).nodes[NodeName("hv01")].connection
    assert (connection.framing, connection.encoding) == (Framing.AUTO, MofEncoding.UTF16)
    assert (connection.connect_timeout_s, connection.reconnect_timeout_s) == (10.0, 240.0)
    assert (connection.reboot_timeout_s, connection.job_timeout_s) == (900.0, 7200.0)
    assert connection.lcm_timeout_s == 900.0
    assert connection.endpoint.configuration_name == "Microsoft.PowerShell"


def test_a_file_is_found_by_its_folder_too(tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(MINIMAL)
    for place in (path, tmp_path):
        inventory, problems = load_inventory(place)
        assert inventory is not None
        assert (inventory.path, len(problems)) == (str(path), 0)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    inventory, problems = load_inventory(tmp_path / "inventory.yaml")
    assert inventory is None
    assert [problem.summary for problem in problems] == ["File cannot be read"]


@pytest.mark.parametrize("name", sorted(RESERVED_VARIABLES))
def test_names_with_a_meaning_in_expressions_are_no_variables(name: str) -> None:
    text = MINIMAL + f"variables: {{'{name}': 1}}\n"
    _, problems = read_inventory(text, SourceFile("x", text))
    assert [problem.summary for problem in problems] == ["Variable name is taken"]


def test_two_hundred_nodes_are_loaded_with_all_their_problems_at_once() -> None:
    nodes = "".join(f"  hv{n}: {{roles: [r], groups: [none{n}]}}\n" for n in range(200))
    text = f"site: x\nnodes:\n{nodes}"
    _, problems = read_inventory(text, SourceFile("x", text))
    summaries = [problem.summary for problem in problems]
    assert summaries.count("Unknown group") == 200
    assert summaries.count("Node has no user") == 1


def test_everything_wrong_is_reported_in_one_pass() -> None:
    text = "site: 3\nsite: 4\nnodes: {hv01: {groups: [x], rolls: 3}, 1: {}}\n"
    _, problems = read_inventory(text, SourceFile("x", text))
    assert {problem.summary for problem in problems if problem.severity.value == "error"} == {
        "Key appears twice", "Key is not text", "Wrong type", "Unknown key", "Unknown group",
        "Node has no user", "Node has no password",
    }  # fmt: skip


KEYS = st.sampled_from(
    [
        "site",
        "nodes",
        "groups",
        "connection",
        "variables",
        "lab",
        "roles",
        "password",
        "port",
        "tls",
        "x",
        "hv01",
        "children",
        "merge",
        "strategy",
        "deep",
        "x.hv01",
        "--x",
        "encryption",
        "certificate",
        "management_adapter",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | KEYS
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=30,
)


NAMES = st.sampled_from(["x", "hv01", "deep"])
PATHS = st.sampled_from(["x", "hv01", "deep", "x.hv01", "x.*", "x.*.hv01", "deep.x", "hv01.--x"])
PLACES = st.fixed_dictionaries(
    {},
    optional={
        "variables": st.dictionaries(NAMES, TREES, max_size=3),
        "children": st.lists(st.sampled_from(["g1", "g2", "g3"]), max_size=3),
        "roles": st.lists(NAMES, max_size=2),
        "encryption": st.sampled_from([{"plain_text": True}, {"certificate": "c"}, None]),
    },
)


@given(
    groups=st.dictionaries(st.sampled_from(["g1", "g2", "g3"]), PLACES),
    merge=st.dictionaries(PATHS, st.sampled_from(["deep", "unique", "append", "replace"])),
    listed=st.lists(st.sampled_from(["g1", "g2", "g3"]), max_size=3),
    near=st.dictionaries(NAMES, TREES, max_size=3),
)
def test_any_layers_are_merged_or_have_errors(
    groups: dict[str, Any], merge: dict[str, str], listed: list[str], near: dict[str, Any]
) -> None:
    nodes = {"n": {"groups": listed, "variables": near}}
    value = {"site": "s", "connection": {"user": "u", "password": "env:P"}, "groups": groups, "merge": merge, "nodes": nodes}  # fmt: skip
    text = documents.dump(value)
    inventory, problems = read_inventory(text, SourceFile("x", text))
    assert (inventory is None) is problems.has_errors
    for found in inventory.nodes.values() if inventory else ():
        for located in found.variables.values():
            assert located.tree is not None
            assert documents.dump(documents.plain(located.tree)) == documents.dump(located.value)


@given(st.dictionaries(KEYS, TREES))
def test_any_tree_is_an_inventory_or_has_errors(value: dict[str, Any]) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    inventory, problems = read_inventory(text, SourceFile("x", text))
    assert (inventory is None) is problems.has_errors
    for problem in problems:
        problem.render()
