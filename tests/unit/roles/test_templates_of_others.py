"""``template('ROLE/file')``: the text files of roles that are required."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiling import compile_project, write

CONFIGURATION = """\
resources:
  - name: one
    type: PSDscResources/Service
    properties: {{Name: one, Description: "{{{{ template('{name}') }}}}"}}
"""
ROLES = {
    "roles/web/role.yaml": "description: x\nrequires: [middle]\nmodules: {PSDscResources: '2.12.0.0'}\n"
    "configurations: [web]\nvariables: {own: {type: string, default: o, description: x}}\n",
    "roles/middle/role.yaml": "description: x\nrequires: [base]\n",
    "roles/base/role.yaml": "description: x\nvariables: {title: {type: string, default: t, description: x}}\n",
    "roles/other/role.yaml": "description: x\n",
    "roles/base/templates/service.conf.j2": "title = {{ title }}, own = {{ own }}",
    "roles/other/templates/x.j2": "no",
}


INVENTORY = """\
site: x
connection: {user: a, password: 'env:P'}
nodes:
  n1: {address: 192.0.2.1, roles: [web], variables: {title: n1}}
  n2: {address: 192.0.2.2, roles: [web], variables: {title: n2}}
"""


@pytest.fixture(autouse=True)
def _in_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(folder: Path, name: str, **more: str) -> tuple[list[str], list[str]]:
    """Return what the resource's text is on each node, and the problems."""
    configuration = CONFIGURATION.format(name=name)
    write(folder, {**ROLES, "dsc_configs/web.dsc.yaml": configuration, "inventory.yaml": INVENTORY, **more})
    configurations, problems = compile_project(folder)
    texts = [str(each.resources[0].properties["Description"]) for each in configurations.values()]
    return texts, [problem.render() for problem in problems]


def test_a_file_of_a_role_that_is_required_sees_the_variables_of_who_asks(tmp_path: Path) -> None:
    assert said(tmp_path, "base/service.conf.j2") == (["title = n1, own = o", "title = n2, own = o"], [])


def test_a_file_in_a_folder_of_the_role_s_own_comes_first(tmp_path: Path) -> None:
    texts, problems = said(tmp_path, "base/own.j2", **{"roles/web/templates/base/own.j2": "mine"})
    assert (texts, problems) == (["mine", "mine"], [])


def test_a_role_that_is_not_required_has_no_files_for_it(tmp_path: Path) -> None:
    _, problems = said(tmp_path, "other/x.j2")
    assert "There is no template" in problems[0]
    assert "roles/web/templates/other/x.j2" in problems[0]


def test_a_file_that_is_misspelt_is_guessed(tmp_path: Path) -> None:
    _, problems = said(tmp_path, "base/servce.conf.j2")
    assert "Did you mean 'base/service.conf.j2'?" in problems[0]


def test_nothing_leads_out_of_the_templates_of_another_role(tmp_path: Path) -> None:
    _, problems = said(tmp_path, "base/../role.yaml")
    assert "without '..'" in problems[0]
