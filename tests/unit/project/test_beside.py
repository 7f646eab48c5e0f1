"""What holds between the nodes of a fleet is asked every time, whatever of it is compiled already."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.addresses import NodeName
from provisioner.errors import InputError
from provisioner.project import Project
from provisioner.roles.model import Leftover
from tests.unit.project.fleets import FILES, compiled, contents, made, many_nodes, write_files

CLAIMING = """\
unique: [{what: owner, value: "{{ owner if owner.lower().startswith('o') else none }}", variable: owner}]
after: [{nodes: "{{ 'e1' if node.name.startswith('w') else none }}", reason: e1 keeps the keys}]
"""
UNDOING = """\
decommission: {configurations: [web.decommission], leaves: [The pages.]}
"""
FLEET = {
    **FILES,
    "roles/base/role.yaml": FILES["roles/base/role.yaml"] + CLAIMING,
    "roles/web/role.yaml": FILES["roles/web/role.yaml"] + UNDOING,
    "dsc_configs/web.decommission.dsc.yaml": """\
resources:
  - name: site
    type: PSDscResources/Environment
    properties: {Name: 'SITE-{{ port }}', Ensure: Absent, Target: [Machine]}
""",
}


def changed(folder: Path, **replaced: str) -> Path:
    text = FILES["inventory.yaml"]
    for old, new in replaced.items():
        line = next(line for line in text.splitlines() if line.startswith(f"  {old}:"))
        text = text.replace(line, f"  {old}: {new}")
    return write_files(folder, {**FLEET, "inventory.yaml": text})


def test_a_value_shared_with_a_node_that_is_unchanged_is_found(tmp_path: Path) -> None:
    owner = "{{address: 192.0.2.{}, groups: [east], variables: {{owner: {}}}}}"
    inventory = changed(tmp_path, e1=owner.format(1, "one"))
    compiled(inventory)
    before = contents(tmp_path / "out")
    inventory = changed(tmp_path, e1=owner.format(1, "one"), e2=owner.format(2, "ONE"))
    with pytest.raises(InputError, match="Node 'e2' has the owner 'ONE', and so has 'e1'"):
        compiled(inventory)
    assert contents(tmp_path / "out") == before
    for limit, is_told in (("e2", True), ("e1", True), ("w1", False)):
        if is_told:
            with pytest.raises(InputError, match="Two nodes share a value"):
                Project(tmp_path).validate(inventory, limit)
        else:
            Project(tmp_path).validate(inventory, limit)


def test_a_value_is_found_among_nodes_that_share_the_work(tmp_path: Path) -> None:
    more = "".join(
        f"  x{number}: {{address: 203.0.113.{number}, groups: [east], variables: {{owner: one}}}}\n"
        for number in (1, 2)
    )
    inventory = many_nodes(tmp_path, 100, more)
    write_files(tmp_path, {name: text for name, text in FLEET.items() if name != "inventory.yaml"})
    with pytest.raises(InputError, match="Node 'x2' has the owner 'one', and so has 'x1'"):
        compiled(inventory, jobs=2)


def test_an_order_changes_no_document(tmp_path: Path) -> None:
    compiled(changed(tmp_path))
    inventory = changed(
        tmp_path, e2="{address: 192.0.2.2, groups: [east], variables: {owner: nobody else}, after: [w1]}"
    )
    assert made(compiled(inventory)) == set()


def test_undoing_a_role_is_another_document_and_comes_from_the_cache_too(tmp_path: Path) -> None:
    compiled(changed(tmp_path))
    undone = "{{address: 192.0.2.1, groups: [east], decommission: [web], variables: {{port: {}}}}}"
    inventory = changed(tmp_path, e1=undone.format(1))
    assert made(compiled(inventory)) == {"e1"}
    assert made(compiled(inventory)) == set()
    assert made(compiled(changed(tmp_path, e1=undone.format(2)))) == {"e1"}
    node = Project(tmp_path).compile(inventory).nodes[NodeName("e1")]
    assert node.leaves == (Leftover("web", "The pages."),)
    assert node.expansion.decommissioned == ("web",)
    assert "[Environment]site" in {str(each.id) for each in node.configuration.resources}


def test_a_compiled_node_knows_whom_it_comes_after_among_those_selected(tmp_path: Path) -> None:
    inventory = changed(tmp_path, w2="{address: 192.0.2.12, groups: [west], after: [w1, east]}")
    after = {
        str(name): [(each.node, each.reason) for each in node.after]
        for name, node in Project(tmp_path).compile(inventory).nodes.items()
    }
    assert after == {
        "e1": [],
        "e2": [],
        "w1": [("e1", "e1 keeps the keys")],
        "w2": [
            ("w1", "node w2 comes after w1"),
            ("e1", "node w2 comes after east"),
            ("e2", "node w2 comes after east"),
        ],
    }
    some = Project(tmp_path).compile(inventory, "w2,e2").nodes
    assert [each.node for each in some[NodeName("w2")].after] == ["e2"]
