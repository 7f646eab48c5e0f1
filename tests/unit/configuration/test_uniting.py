"""Several roles add to one resource: lists become one, everything else has to be the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.configuration.build import build
from provisioner.configuration.check import Checker
from provisioner.configuration.model import Configuration
from provisioner.inventory.loader import load_inventory
from provisioner.roles.expand import expand
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.memo import Memo
from tests.compiling import compile_project, write

INVENTORY = """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD'}
nodes:
  n1: {address: 192.0.2.1, roles: [one, two]}
  n2: {address: 192.0.2.2, roles: [two, one]}
"""
ROLE = 'description: x\nmodules: {{PSDscResources: "2.12.0.0"}}\nconfigurations: [{}]\nrequires: [{}]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    files = {"inventory.yaml": INVENTORY}
    for name, members, requires in (
        ("base", "[]", ""),
        ("one", "[Zoe, anna]", "base"),
        ("two", "[ANNA, Bob]", "base"),
    ):
        files[f"roles/{name}/role.yaml"] = ROLE.format(name, requires)
        files[f"dsc_configs/{name}.dsc.yaml"] = f"""\
resources:
  - name: people
    type: PSDscResources/Group
    unite: [members]
    properties: {{GroupName: people, Members: {members}}}
    dependsOn: "{{{{ none if '{name}' == 'base' else '[Service]before' }}}}"
  - {{name: own-{name}, type: PSDscResources/Service, properties: {{Name: own-{name}}}, dependsOn: '[Group]people'}}
"""
    files["dsc_configs/base.dsc.yaml"] += (
        "  - {name: before, type: PSDscResources/Service, properties: {Name: before}}\n"
    )
    write(tmp_path, files)
    return tmp_path


def compiled(project: Path, *expected: str) -> dict[str, Configuration]:
    configurations, problems = compile_project(project)
    assert [problem.summary for problem in problems] == list(expected), [each.render() for each in problems]
    return configurations


def test_lists_are_united_in_the_order_of_roles_without_duplicates(project: Path) -> None:
    found = compiled(project)
    members = {
        name: resource.properties["Members"]
        for name, each in found.items()
        if (resource := each.resource("[Group]people"))
    }
    assert members == {"n1": ("Zoe", "anna", "Bob"), "n2": ("ANNA", "Bob", "Zoe")}


def test_what_it_depends_on_is_united_and_it_waits_for_no_later_role(project: Path) -> None:
    found = compiled(project)["n1"]
    depends = {str(each.id): [str(other) for other in each.depends_on] for each in found.resources}
    assert depends["[Group]people"] == ["[Service]before"]
    assert depends["[Service]own-one"] == ["[Group]people", "[Service]own-base"]
    assert depends["[Service]own-base"] == ["[Group]people"]


def test_an_empty_list_that_is_united_is_no_mistake(project: Path) -> None:
    (project / "inventory.yaml").write_text(INVENTORY.replace("[one, two]", "[base]"), encoding="utf-8")
    resource = compiled(project)["n1"].resource("[Group]people")
    assert resource
    assert "Members" not in resource.properties


def test_what_is_not_united_has_to_be_the_same(project: Path) -> None:
    path = project / "dsc_configs/two.dsc.yaml"
    path.write_text(path.read_text().replace("GroupName: people,", "GroupName: people, Ensure: Absent,"))
    compiled(project, "Roles declare a resource differently")


def test_nodes_with_the_same_roles_share_the_united_resource(project: Path) -> None:
    (project / "inventory.yaml").write_text(INVENTORY.replace("[two, one]", "[one, two]"), encoding="utf-8")
    inventory, _ = load_inventory(Path("inventory.yaml"))
    assert inventory
    library, registry, memo = RoleLibrary([project]), Registry.builtin(), Memo()
    checker = Checker(registry)
    found = []
    for node in inventory.nodes.values():
        expansion, _ = expand(node, library, registry, site="test", memo=memo)
        configuration, problems = build(node, expansion, registry, checker)
        assert configuration, list(problems)
        found.append(configuration.resource("[Group]people"))
    assert found[0] is found[1], "its text is written once for a whole fleet"
