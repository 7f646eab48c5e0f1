"""A composite of the Set kind becomes its members; what depends on it depends on each."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.configuration.model import Configuration, Credential
from tests.compiling import compile_project, write

ROLE = """\
description: x
modules: {PSDscResources: "2.12.0.0"}
configurations: [web]
"""


def compiled(folder: Path, resources: str, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    monkeypatch.chdir(folder)
    write(folder, {"roles/web/role.yaml": ROLE, "dsc_configs/web.dsc.yaml": resources})
    configurations, problems = compile_project(folder)
    assert [problem.render() for problem in problems] == []
    return configurations["n1"]


def names(found: Configuration) -> list[str]:
    return [str(each.id) for each in found.resources]


def targets(found: Configuration, name: str) -> list[str]:
    resource = found.resource(name)
    assert resource is not None
    return [str(each) for each in resource.depends_on]


SET = """\
resources:
  - name: before
    type: PSDscResources/Service
    properties: {Name: before}
  - name: web
    type: PSDscResources/windowsfeatureset
    properties:
      Name: [Web-Server, Web-Asp-Net45]
      IncludeAllSubFeature: true
      Credential: {user: 'DOM\\a', password: env:A}
      PsDscRunAsCredential: {user: 'DOM\\b', password: env:B}
    dependsOn: '[Service]before'
  - name: after
    type: PSDscResources/Service
    properties: {Name: after}
    dependsOn: '[windowsfeatureset]WEB'
"""


def test_members_are_numbered_within_the_composite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = compiled(tmp_path, SET, monkeypatch)
    assert names(found) == [
        "[Service]before",
        "[WindowsFeature]Resource0::[WindowsFeatureSet]web",
        "[WindowsFeature]Resource1::[WindowsFeatureSet]web",
        "[Service]after",
    ]


def test_members_share_all_other_properties(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = compiled(tmp_path, SET, monkeypatch)
    first, second = found.resources[1:3]
    assert [first.properties["Name"], second.properties["Name"]] == ["Web-Server", "Web-Asp-Net45"]
    for each in (first, second):
        assert each.type.name == "WindowsFeature"
        assert each.properties["IncludeAllSubFeature"] is True
        assert isinstance(each.properties["Credential"], Credential)
        assert each.properties["PsDscRunAsCredential"].user == "DOM\\b"
        assert str(each.property_ranges["Name"]) == "dsc_configs/web.dsc.yaml:8:13"


def test_dependencies_of_and_on_a_composite_are_those_of_each_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = compiled(tmp_path, SET, monkeypatch)
    assert targets(found, "[WindowsFeature]Resource1::[WindowsFeatureSet]web") == ["[Service]before"]
    assert targets(found, "[Service]after") == [
        "[WindowsFeature]Resource0::[WindowsFeatureSet]web",
        "[WindowsFeature]Resource1::[WindowsFeatureSet]web",
    ]


def test_a_single_name_makes_one_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = "resources:\n  - {name: a, type: PSDscResources/ServiceSet, properties: {Name: W3SVC}}\n"
    assert names(compiled(tmp_path, resources, monkeypatch)) == ["[Service]Resource0::[ServiceSet]a"]


def test_a_key_the_composite_does_not_offer_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = (
        "resources:\n  - {name: a, type: PSDscResources/ProcessSet, properties: {Path: ['C:\\a.exe']}}\n"
    )
    [process] = compiled(tmp_path, resources, monkeypatch).resources
    assert process.properties == {"Path": "C:\\a.exe", "Arguments": ""}


def test_members_need_what_their_type_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    modules = 'modules: {PSDesiredStateConfiguration: "1.1"}'
    features = (
        "{name: a, type: PSDesiredStateConfiguration/WindowsOptionalFeatureSet, properties: {Name: [x]}}"
    )
    write(
        tmp_path,
        {
            "roles/web/role.yaml": f"description: x\n{modules}\nconfigurations: [web]\n",
            "dsc_configs/web.dsc.yaml": f"resources:\n  - {features}\n",
        },
    )
    configurations, problems = compile_project(tmp_path)
    assert [(each.severity.value, each.summary) for each in problems] == [
        ("warning", "Property is needed on the node")
    ]
    assert len(configurations["n1"].resources) == 1


def test_a_composite_may_itself_stand_within_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = """\
resources:
  - name: services
    type: PSDscResources/ServiceSet
    within: '[Site]one'
    properties: {Name: [a, b]}
  - name: c
    type: PSDscResources/Service
    properties: {Name: c}
    dependsOn: '[Site]one'
"""
    found = compiled(tmp_path, resources, monkeypatch)
    assert names(found)[:2] == [
        "[Service]Resource0::[ServiceSet]services::[Site]one",
        "[Service]Resource1::[ServiceSet]services::[Site]one",
    ]
    assert targets(found, "[Service]c") == names(found)[:2]


def test_two_roles_may_declare_the_same_composite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    other = SET.split("  - name: after", maxsplit=1)[0]
    write(
        tmp_path,
        {
            "inventory.yaml": "site: test\nconnection: {transport: psrp, user: admin, password: 'env:PASSWORD'}\n"
            "nodes:\n  n1: {address: 192.0.2.1, roles: [web, other]}\n",
            "roles/web/role.yaml": ROLE,
            "roles/other/role.yaml": ROLE.replace("[web]", "[other]"),
            "dsc_configs/web.dsc.yaml": SET,
            "dsc_configs/other.dsc.yaml": other,
        },
    )
    configurations, problems = compile_project(tmp_path)
    assert [problem.render() for problem in problems] == []
    assert len(configurations["n1"].resources) == 4
