"""Expansion: roles in order, expressions evaluated, conditions and loops followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.loader import load_inventory
from provisioner.roles.expand import Expansion, expand
from provisioner.roles.loader import RoleLibrary
from tests.compiling import write

INVENTORY = """\
site: mars
connection: {transport: psrp, user: admin, password: 'env:PASSWORD'}
nodes:
  n1: {address: 192.0.2.1, roles: [web, base]}
"""


def expanded(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    registry: Registry | None = None,
) -> tuple[Expansion, Diagnostics]:
    monkeypatch.chdir(folder)
    write(folder, {"inventory.yaml": INVENTORY, "roles/base/role.yaml": "description: x\n", **files})
    inventory, problems = load_inventory(Path("inventory.yaml"))
    assert inventory is not None, [problem.render() for problem in problems]
    [node] = inventory.nodes.values()
    return expand(node, RoleLibrary([folder]), registry or Registry.builtin(), site=inventory.site)


def described(folder: Path, monkeypatch: pytest.MonkeyPatch, resources: str) -> list[tuple[str, object]]:
    found, problems = expanded(folder, monkeypatch, {"dsc_configs/web.dsc.yaml": resources})
    assert [problem.render() for problem in problems] == []
    return [(each.name, each.properties[1].value.data) for each in found.declarations]


def test_required_roles_come_first_and_each_role_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = "description: x\nrequires: [base]\n"
    found, problems = expanded(tmp_path, monkeypatch, {"roles/web/role.yaml": role})
    assert [problem.render() for problem in problems] == []
    assert found.roles == ("base", "web")
    assert [each.name for each in found.requires["web"]] == ["base"]  # type: ignore[index]


def test_a_loop_binds_item_and_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = """\
resources:
  - name: "{{ item.name }}"
    type: PSDscResources/Service
    forEach: [{name: a, on: "{{ node.name }}"}, {name: b, on: "{{ site }}"}]
    properties: {Name: "{{ item.name }}", Description: "{{ index }} on {{ item.on }} at {{ node.address }}"}
"""
    assert described(tmp_path, monkeypatch, resources) == [
        ("a", "0 on n1 at 192.0.2.1"),
        ("b", "1 on mars at 192.0.2.1"),
    ]


def test_a_whole_expression_keeps_its_type_and_a_mixed_one_is_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = """\
resources:
  - {name: a, type: M/R, properties: {Name: a, V: "{{ 1.0 }}"}}
  - {name: b, type: M/R, properties: {Name: b, V: "{{ 1 }}.0"}}
  - {name: c, type: M/R, properties: {Name: c, V: ["{{ 1 }}", true, x]}}
  - {name: d, type: M/R, properties: {Name: d, V: "[concat('a', 'b')]"}}
"""
    assert described(tmp_path, monkeypatch, resources) == [
        ("a", 1.0),
        ("b", "1.0"),
        ("c", (1, True, "x")),
        ("d", "[concat('a', 'b')]"),
    ]


def test_a_false_condition_leaves_a_resource_out_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = """\
$schema: x
metadata: {a: b}
resources:
  - {name: a, type: M/R, condition: false, metadata: {}}
  - {name: b, type: M/R, condition: "{{ node.name == 'n1' }}"}
"""
    found, problems = expanded(tmp_path, monkeypatch, {"dsc_configs/web.dsc.yaml": resources})
    assert len(problems) == 0
    assert [each.name for each in found.declarations] == ["b"]
    assert [(each.type_name, each.name) for each in found.left_out] == [("R", "a")]


def test_dependencies_may_come_as_one_a_list_or_a_list_in_an_expression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = """\
resources:
  - name: a
    type: M/R
    dependsOn:
      - '[Service]x'
      - "{{ resources('Disk', ['d1', 'd2']) }}"
      - "{{ none }}"
      - "[Service]{{ node.name }}"
  - {name: b, type: M/R, dependsOn: '[Service]y'}
"""
    found, problems = expanded(tmp_path, monkeypatch, {"dsc_configs/web.dsc.yaml": resources})
    assert len(problems) == 0
    assert [[target.name for target in each.depends_on] for each in found.declarations] == [
        ["[Service]x", "[Disk]d1", "[Disk]d2", "[Service]n1"],
        ["[Service]y"],
    ]


def test_a_template_sees_the_variables_of_the_expression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "roles/web/templates/sub/site.conf.j2": "name = {{ node.name }} {{ item }}\n",
        "dsc_configs/web.dsc.yaml": """\
resources:
  - name: a
    type: M/R
    forEach: [1]
    properties: {Name: a, V: "{{ template('sub/site.conf.j2') }}"}
""",
    }
    found, problems = expanded(tmp_path, monkeypatch, files)
    assert [problem.render() for problem in problems] == []
    assert found.declarations[0].properties[1].value.data == "name = n1 1\n"


def test_a_template_that_is_no_text_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "roles/web/templates/x": "",
        "dsc_configs/web.dsc.yaml": "resources: [{name: a, type: M/R, properties: {V: \"{{ template('x') }}\"}}]\n",
    }
    write(tmp_path, files)
    (tmp_path / "roles/web/templates").joinpath("y").write_bytes(b"\xff")
    files["dsc_configs/web.dsc.yaml"] = files["dsc_configs/web.dsc.yaml"].replace("'x'", "'y'")
    _, problems = expanded(tmp_path, monkeypatch, files)
    assert [problem.summary for problem in problems] == ["File is not UTF-8"]


def test_roles_that_need_two_versions_of_a_module_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '{"module": "M", "version": "%s", "resources": []}'
    registry = Registry(
        {("M", "1.0"): lambda: text % "1.0", ("M", "2.0"): lambda: text % "2.0"}, lambda: "[]"
    )
    files = {
        "roles/web/role.yaml": 'description: x\nmodules: {M: "1.0"}\n',
        "roles/base/role.yaml": 'description: x\nmodules:\n  m: "2.0"\n',
    }
    _, problems = expanded(tmp_path, monkeypatch, files, registry)
    [problem] = problems
    assert problem.summary == "Roles need different versions of a module"
    assert str(problem.where) == "roles/base/role.yaml:3:6"
    assert "roles/web/role.yaml:2:14" in problem.detail


def test_modules_are_named_as_the_catalogue_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"roles/web/role.yaml": 'description: x\nmodules: {psdscresources: "2.12.0.0"}\n'}
    found, problems = expanded(tmp_path, monkeypatch, files)
    assert len(problems) == 0
    assert found.modules == {"PSDscResources": "2.12.0.0"}
    assert str(found.module_wheres["PSDscResources"]) == "roles/web/role.yaml:2:27"
