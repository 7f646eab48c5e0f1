"""Roles of a node become one configuration: merged, joined by what they require, in one order."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.configuration.model import Configuration
from tests.compiling import REPOSITORY, compile_project, write

TWO_ROLES = {
    "inventory.yaml": """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD'}
nodes:
  n1: {address: 192.0.2.1, roles: [web]}
""",
    "roles/web/role.yaml": """\
description: x
requires: [base]
modules: {PSDscResources: "2.12.0.0"}
configurations: [web]
""",
    "roles/base/role.yaml": """\
description: x
modules: {PSDscResources: "2.12.0.0"}
configurations: [base]
variables:
  folder: {type: string, default: 'C:\\base', description: x}
""",
    "dsc_configs/base.dsc.yaml": """\
resources:
  - {name: WAS, type: PSDscResources/Service, properties: {Name: WAS}, dependsOn: '[Service]HTTP'}
  - {name: HTTP, type: PSDscResources/Service, properties: {Name: HTTP, Description: "{{ folder }}"}}
""",
    "dsc_configs/web.dsc.yaml": """\
resources:
  - {name: W3SVC, type: PSDscResources/Service, properties: {Name: W3SVC, Description: "{{ folder }}"}}
  - {name: was, type: PSDscResources/Service, properties: {name: WAS}, dependsOn: '[service]http'}
""",
}


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, TWO_ROLES)
    configurations, problems = compile_project(tmp_path)
    assert [problem.render() for problem in problems] == []
    return configurations["n1"]


def test_identical_declarations_of_several_roles_merge(compiled: Configuration) -> None:
    assert [str(each.id) for each in compiled.resources] == [
        "[Service]HTTP",
        "[Service]WAS",
        "[Service]W3SVC",
    ]


def test_resources_depend_on_those_of_required_roles(compiled: Configuration) -> None:
    web = compiled.resource("[service]w3svc")
    assert web is not None
    assert [str(each) for each in web.depends_on] == ["[Service]WAS"]


def test_a_role_sees_the_variables_of_roles_it_requires(compiled: Configuration) -> None:
    web = compiled.resource("[Service]W3SVC")
    assert web is not None
    assert web.properties["Description"] == "C:\\base"


def test_the_role_s_own_variable_comes_before_one_of_a_required_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = "variables:\n  folder: {type: string, default: own, description: x}\n"
    write(tmp_path, {**TWO_ROLES, "roles/web/role.yaml": TWO_ROLES["roles/web/role.yaml"] + own})
    configurations, _ = compile_project(tmp_path)
    seen = {str(each.id): each.properties.get("Description") for each in configurations["n1"].resources}
    assert seen == {"[Service]WAS": None, "[Service]HTTP": "C:\\base", "[Service]W3SVC": "own"}


def test_only_modules_in_use_are_asked_for(compiled: Configuration) -> None:
    assert compiled.modules == {"PSDscResources": "2.12.0.0"}


def test_a_resource_remembers_its_role_and_where_its_properties_stand(compiled: Configuration) -> None:
    web = compiled.resource("[Service]W3SVC")
    assert web is not None
    assert web.role == "web"
    assert str(web.property_ranges["Name"]) == "dsc_configs/web.dsc.yaml:2:68"


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from provisioner.configuration.emit.meta_mof import META_SETTINGS, emit_meta_mof
from provisioner.configuration.emit.mof import emit_mof
from provisioner.inventory.model import MofEncoding
from tests.compiling import compile_project
class Sealer:
    is_encrypted = True

    def seal(self, credential):
        return f"sealed {credential.user} {list(credential.secrets or ())}"

configurations, problems = compile_project(Path(sys.argv[1]))
assert not problems.has_errors, [problem.render() for problem in problems]
for name, configuration in configurations.items():
    print(name, emit_mof(configuration, MofEncoding.UTF16, seal=Sealer()).sha256,
          emit_meta_mof(name, META_SETTINGS, MofEncoding.UTF16).sha256)
"""


def test_two_processes_with_other_hash_seeds_and_folders_write_the_same_bytes(tmp_path: Path) -> None:
    lab = (REPOSITORY / "inventories/lab/inventory.yaml").read_text(encoding="utf-8")
    outputs = set()
    for seed in ("0", "1", "4242"):
        folder = tmp_path / f"somewhere{seed}"
        folder.mkdir()
        (folder / "inventory.yaml").write_text(lab, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(REPOSITORY)],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().splitlines()) == 5


SYNTHETIC = """
{"module": "%s", "version": "1.0", "resources": [
  {"name": "Log", "class": "%s_Log", "properties": [{"name": "Message", "type": "string"}]},
  {"name": "Thing", "class": "%s_Thing", "properties": [
    {"name": "Name", "type": "string", "qualifier": "Key"}, {"name": "Place", "type": "string", "qualifier": "Key"}]}]}
"""


def summaries(resources: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(folder)
    names = ("One", "Two")
    registry = Registry(
        {(name, "1.0"): (lambda name=name: SYNTHETIC % (name, name, name)) for name in names},  # type: ignore[misc]
        lambda: "[]",
    )
    modules = 'modules: {One: "1.0", Two: "1.0"}\n'
    role = f"description: x\n{modules}configurations: [%s]\n"
    write(
        folder,
        {
            "inventory.yaml": TWO_ROLES["inventory.yaml"].replace("[web]", "[web, other]"),
            "roles/web/role.yaml": role % "web",
            "roles/other/role.yaml": role % "other",
            "dsc_configs/web.dsc.yaml": resources,
            "dsc_configs/other.dsc.yaml": "resources:\n  - {name: x, type: Two/Log}\n",
        },
    )
    _, problems = compile_project(folder, registry=registry)
    return [f"{problem.summary}: {problem.detail}" for problem in problems]


def test_types_without_a_key_never_clash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = "resources:\n  - {name: a, type: One/Log}\n  - {name: b, type: One/Log}\n"
    assert summaries(resources, tmp_path, monkeypatch) == []


def test_all_keys_together_identify_a_resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = """\
resources:
  - {name: a, type: One/Thing, properties: {Name: N, Place: 'C:\\a'}}
  - {name: b, type: One/Thing, properties: {Name: n, Place: 'C:\\b'}}
  - {name: c, type: Two/Thing, properties: {Name: n, Place: 'C:\\b'}}
  - {name: d, type: One/Thing, properties: {Name: N, Place: 'c:\\B'}}
"""
    [problem] = summaries(resources, tmp_path, monkeypatch)
    assert problem == (
        "Two resources manage the same thing: '[Thing]d' and '[Thing]b' at dsc_configs/web.dsc.yaml:3:5 "
        "have the same Name 'N', Place 'c:\\B'."
    )


def test_one_class_of_two_modules_is_one_class_to_an_lcm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        TWO_ROLES
        | {
            "roles/base/role.yaml": "description: x\nconfigurations: [base]\n"
            'modules: {PSDesiredStateConfiguration: "1.1"}\n',
            "dsc_configs/base.dsc.yaml": "resources:\n"
            "  - {name: other, type: PSDesiredStateConfiguration/Service, properties: {Name: was}}\n",
            "dsc_configs/web.dsc.yaml": "resources:\n"
            "  - {name: WAS, type: PSDscResources/Service, properties: {Name: WAS}}\n",
        },
    )
    _, problems = compile_project(tmp_path)
    assert [problem.summary for problem in problems] == ["Two resources manage the same thing"]


def test_several_resources_may_wait_for_the_same_thing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wait = "type: PSDesiredStateConfiguration/WaitForAll, properties: {ResourceName: '[Service]a', NodeName: [n2]"
    write(
        tmp_path,
        {
            "roles/web/role.yaml": "description: x\nconfigurations: [web]\n"
            'modules: {PSDesiredStateConfiguration: "1.1"}\n',
            "dsc_configs/web.dsc.yaml": f"resources:\n  - {{name: a, {wait}}}}}\n"
            f"  - {{name: b, {wait}, RetryCount: 5}}}}\n",
        },
    )
    configurations, problems = compile_project(tmp_path)
    assert [problem.render() for problem in problems] == []
    assert len(configurations["n1"].resources) == 2


def test_one_name_for_types_of_two_modules_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [problem] = summaries("resources:\n  - {name: x, type: One/Log}\n", tmp_path, monkeypatch)
    assert "differs in its module from that of role 'web'" in problem
