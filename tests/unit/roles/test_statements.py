"""What roles say beyond their resources: refusals, claims, order, undoing; over whole inventories."""

from __future__ import annotations

import re
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from provisioner.addresses import NodeName
from provisioner.catalogue.registry import Registry
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import Inventory
from provisioner.roles.expand import Expansion, expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.memo import Memo
from provisioner.roles.model import Leftover
from provisioner.roles.statements.fleet import beside_each_other
from provisioner.roles.statements.order import Order
from tests.compiling import REPOSITORY, compile_project, write

HEAD = "site: test\nconnection: {transport: psrp, user: admin, password: 'env:PASSWORD'}\n"
WAITING = """\
description: x
variables: {first: {type: list, items: string, default: [], description: x}}
after: [{nodes: "{{ first }}", reason: "it is {{ node.name }}'s turn later"}]
"""
CLAIMING = """\
description: x
variables:
  name: {type: string, default: null, description: x}
unique: [{what: computer name, value: "{{ name or '' }}", variable: name}]
"""


def read(folder: Path, nodes: str, **roles: str) -> tuple[Inventory, RoleLibrary]:
    write(folder, {"inventory.yaml": HEAD + textwrap.dedent(nodes)})
    write(folder, {f"roles/{name}/role.yaml": text for name, text in roles.items()})
    (folder / "inventory.yaml").write_text(HEAD + textwrap.dedent(nodes), encoding="utf-8")
    inventory, problems = load_inventory(folder / "inventory.yaml")
    assert inventory is not None, [problem.render() for problem in problems]
    return inventory, RoleLibrary([folder])


def beside(inventory: Inventory, library: RoleLibrary, selected: str = "") -> tuple[Order, Diagnostics]:
    names = [NodeName(name) for name in selected.split()] or list(inventory.nodes)
    return beside_each_other(inventory, names, library, Memo())


def first_of(order: Order, present: list[str] | Inventory) -> dict[str, list[str]]:
    names = list(present.nodes) if isinstance(present, Inventory) else [NodeName(each) for each in present]
    return {str(name): [str(each.node) for each in after] for name, after in order.among(names).items()}


def test_inventory_and_roles_order_together_and_the_first_reason_counts(tmp_path: Path) -> None:
    inventory, library = read(
        tmp_path,
        """\
        groups:
          storage: {roles: [base]}
          compute: {roles: [wait], after: [storage]}
        nodes:
          s1: {address: 192.0.2.1, groups: [storage]}
          s2: {address: 192.0.2.2, groups: [storage]}
          c1: {address: 192.0.2.3, groups: [compute], variables: {first: [c1]}}
          c2: {address: 192.0.2.4, groups: [compute], variables: {first: [c1, s1]}, after: [s2]}
        """,
        wait=WAITING,
        base="description: x\n",
    )
    order, problems = beside(inventory, library)
    assert list(problems) == []
    assert first_of(order, inventory) == {"c1": ["s1", "s2"], "c2": ["s1", "s2", "c1"]}
    reasons = {each.node: each.reason for each in order.among(list(inventory.nodes))[NodeName("c2")]}
    assert reasons == {
        "s1": "group compute comes after storage",
        "s2": "group compute comes after storage",
        "c1": "it is c2's turn later",
    }


def test_who_is_not_there_is_stood_for_by_those_he_waits_for(tmp_path: Path) -> None:
    inventory, library = read(
        tmp_path,
        """\
        nodes:
          a: {address: 192.0.2.1, roles: [web]}
          b: {address: 192.0.2.2, after: [a]}
          c: {address: 192.0.2.3, roles: [web], after: [b]}
        """,
    )
    order, _ = beside(inventory, library)
    assert first_of(order, ["a", "c"]) == {"c": ["a"]}
    assert first_of(order, ["c"]) == {}
    assert first_of(order, inventory) == {"b": ["a"], "c": ["b"]}


def test_a_group_of_ones_own_means_the_others_in_it(tmp_path: Path) -> None:
    inventory, library = read(
        tmp_path,
        """\
        groups: {all: {roles: [web]}}
        nodes:
          a: {address: 192.0.2.1, groups: [all]}
          b: {address: 192.0.2.2, groups: [all]}
          c: {address: 192.0.2.3, groups: [all], after: [all, c]}
        """,
    )
    order, problems = beside(inventory, library)
    assert list(problems) == []
    assert first_of(order, inventory) == {"c": ["a", "b"]}


def test_a_group_that_waits_for_itself_is_told_once_and_nobody_waits(tmp_path: Path) -> None:
    nodes = "".join(f"  n{each}: {{address: 192.0.2.{each}, groups: [all]}}\n" for each in range(1, 200))
    inventory, library = read(tmp_path, "groups: {all: {roles: [web], after: [all]}}\nnodes:\n" + nodes)
    order, problems = beside(inventory, library)
    assert [problem.summary for problem in problems] == ["Nodes wait for each other in a circle"]
    assert first_of(order, inventory) == {}


def test_a_circle_through_a_group_tells_each_step_with_its_place(tmp_path: Path) -> None:
    inventory, library = read(
        tmp_path,
        """\
        groups:
          storage: {roles: [web], after: [compute]}
          compute: {roles: [wait]}
        nodes:
          s1: {address: 192.0.2.1, groups: [storage]}
          c1: {address: 192.0.2.3, groups: [compute], variables: {first: [s1]}}
          c2: {address: 192.0.2.4, groups: [compute]}
        """,
        wait=WAITING,
    )
    _, problems = beside(inventory, library, "c2")
    [problem] = problems
    assert re.fullmatch(
        r"None of these can be done first: 'c1' waits for 's1' \(it is c1's turn later, at \S+:8:67\); "
        r"'s1' waits for 'c1' of group 'compute' \(group storage comes after compute, at \S+:4:35\)\.",
        problem.detail,
    )


def test_two_thousand_nodes_may_wait_for_each_other_and_claim_their_names(tmp_path: Path) -> None:
    nodes = "".join(
        f"  n{each}: {{address: n{each}.test, groups: [{'a' if each % 2 else 'b'}], variables: {{name: x{each}}}}}\n"
        for each in range(2000)
    )
    inventory, library = read(
        tmp_path,
        "groups: {a: {roles: [claim]}, b: {roles: [claim], after: [a]}}\nnodes:\n" + nodes,
        claim=CLAIMING,
    )
    start = time.process_time()
    order, problems = beside(inventory, library)
    after = order.among(list(inventory.nodes))
    assert time.process_time() - start < 5
    assert list(problems) == []
    assert len(after) == 1000
    assert {len(each) for each in after.values()} == {1000}
    assert len({id(each) for each in after.values()}) == 1, "what a thousand nodes share is made once"


def test_a_chain_of_two_thousand_nodes_is_no_circle(tmp_path: Path) -> None:
    nodes = "".join(
        f"  n{each}: {{address: n{each}.test, after: [{'n' + str(each - 1) if each else ''}]}}\n"
        for each in range(2000)
    )
    inventory, library = read(tmp_path, "nodes:\n" + nodes)
    order, problems = beside(inventory, library)
    assert list(problems) == []
    assert first_of(order, ["n0", "n1999"]) == {"n1999": ["n0"]}


@pytest.mark.parametrize(
    ("selected", "told"), [("", ["n2", "n3"]), ("n1", ["n2", "n3"]), ("n3", ["n3"]), ("n4", [])]
)
def test_a_shared_value_is_told_where_a_selected_node_has_it(
    tmp_path: Path, selected: str, told: list[str]
) -> None:
    inventory, library = read(
        tmp_path,
        """\
        nodes:
          n1: {address: 192.0.2.1, roles: [claim], variables: {name: Mars}}
          n2: {address: 192.0.2.2, roles: [claim], variables: {name: MARS}}
          n3: {address: 192.0.2.3, roles: [claim], variables: {name: mars}}
          n4: {address: 192.0.2.4, roles: [claim]}
          n5: {address: 192.0.2.5, roles: [claim], variables: {name: ''}}
        """,
        claim=CLAIMING,
    )
    _, problems = beside(inventory, library, selected)
    assert [problem.detail.split("'")[1] for problem in problems] == told


def expanded(folder: Path, nodes: str, files: dict[str, str]) -> tuple[Expansion, Diagnostics]:
    inventory, library = read(folder, nodes)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    [node] = inventory.nodes.values()
    return expand(node, library, Registry.builtin(), site="test")


def old(name: str, requires: str = "") -> dict[str, str]:
    return {
        f"roles/{name}/role.yaml": f"""\
description: x
requires: [{requires}]
modules: {{PSDscResources: "2.12.0.0"}}
configurations: [{name}]
refuse: [{{when: "{{{{ true }}}}", reason: never}}]
checks: [checks/test_x.py]
preflight: [preflight/test_x.py]
variables: {{{name}_title: {{type: string, default: {name}, description: x}}}}
decommission: {{configurations: [{name}.undo], leaves: [The data of {name}.]}}
""",
        f"roles/{name}/checks/test_x.py": "",
        f"roles/{name}/preflight/test_x.py": "",
        f"dsc_configs/{name}.dsc.yaml": "resources: []\n",
        f"dsc_configs/{name}.undo.dsc.yaml": f"""\
resources:
  - {{name: "{name}", type: PSDscResources/Service, properties: {{Name: "{{{{ {name}_title }}}}", Ensure: Absent}}}}
""",
    }


def test_what_is_undone_declares_that_alone_and_says_what_it_leaves(tmp_path: Path) -> None:
    nodes = "nodes: {n1: {address: 192.0.2.1, roles: [web], decommission: [low, high], variables: {low_title: given}}}"
    found, problems = expanded(tmp_path, nodes, {**old("low"), **old("high", "low")})
    assert [problem.render() for problem in problems] == []
    assert found.roles == ("web",)
    assert found.decommissioned == ("high", "low")
    assert found.leaves == (Leftover("high", "The data of high."), Leftover("low", "The data of low."))
    assert (found.checks, found.preflight) == ((), ())
    values = [(each.name, each.properties[0].value.data) for each in found.declarations[1:]]
    assert values == [("high", "high"), ("low", "given")]


def test_what_requires_another_is_undone_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nodes = "nodes: {n1: {address: 192.0.2.1, decommission: [low, high]}}"
    expanded(tmp_path, nodes, {**old("low"), **old("high", "low")})
    configurations, problems = compile_project(tmp_path)
    assert [problem.render() for problem in problems] == []
    depends = {
        str(each.id): [str(other) for other in each.depends_on] for each in configurations["n1"].resources
    }
    assert depends == {"[Service]high": [], "[Service]low": ["[Service]high"]}


def test_a_preflight_belongs_to_its_role(tmp_path: Path) -> None:
    files = old("low")
    files["roles/low/role.yaml"] = files["roles/low/role.yaml"].replace("{{ true }}", "{{ false }}")
    found, problems = expanded(tmp_path, "nodes: {n1: {address: 192.0.2.1, roles: [low]}}", files)
    assert [problem.render() for problem in problems] == []
    assert [(each.role, each.path.parent.name) for each in found.preflight] == [("low", "preflight")]


def test_a_preflight_that_is_not_listed_is_warned_of(tmp_path: Path) -> None:
    files = old("low")
    files["roles/low/role.yaml"] = files["roles/low/role.yaml"].replace(
        "preflight: [preflight/test_x.py]\n", ""
    )
    _, problems = expanded(tmp_path, "nodes: {n1: {address: 192.0.2.1, decommission: [low]}}", files)
    [problem] = problems
    assert "is not under 'preflight:' of its role" in problem.detail


def test_a_refusal_sees_fields_with_their_defaults(tmp_path: Path) -> None:
    role = """\
description: x
variables:
  disks:
    type: list
    items: mapping
    description: x
    fields: {size: {type: integer, default: 7, description: x}, note: {type: string, description: x}}
refuse: [{forEach: "{{ disks }}", when: "{{ item.size == 7 and item.note is none }}", reason: "{{ index }}"}]
"""
    nodes = (
        "nodes: {n1: {address: 192.0.2.1, roles: [fields], variables: {disks: [{size: 1}, {}, {note: x}]}}}"
    )
    _, problems = expanded(tmp_path, nodes, {"roles/fields/role.yaml": role})
    assert [problem.detail for problem in problems] == ["Role 'fields' on node 'n1': 1"]


def test_the_statements_shown_in_the_documentation_are_read(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/writing-roles.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    keys = ("variables:", "refuse:", "unique:", "after:", "decommission:")
    shown = [next(block for block in blocks if block.startswith(key)) for key in keys]
    files: dict[str, Any] = {
        "roles/base/role.yaml": "description: x\n",
        "roles/shown/role.yaml": "description: x\nrequires: [base]\n" + "".join(shown),
        "dsc_configs/smb_share.decommission.dsc.yaml": "resources: []\n",
    }
    write(tmp_path, files)
    role, problems = RoleLibrary([tmp_path]).load("shown")
    assert [problem.render() for problem in problems] == []
    assert role is not None
    assert len(role.refuse) == 2
