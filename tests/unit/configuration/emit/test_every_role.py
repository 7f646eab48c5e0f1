"""Every role that ships, in every format: what reads each format takes it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from provisioner.addresses import NodeName
from provisioner.catalogue.registry import Registry
from provisioner.configuration.emit.formats import EMITTERS, Emission
from provisioner.configuration.model import Artifact, Configuration, Credential
from provisioner.configuration.reading.parser import read_mof
from tests.compiling import REPOSITORY, compile_project
from tests.unit.configuration.emit import reading_with_pywbem as pywbem_reader
from tests.unit.configuration.emit.test_dsc3 import check
from tests.unit.configuration.emit.test_powershell import mistakes
from tests.yaml_files import read_yaml


class Sealer:
    is_encrypted = True

    def seal(self, _credential: Credential) -> str:
        return "-----BEGIN CMS-----\nab\n-----END CMS-----"


@pytest.fixture(name="compiled", scope="module")
def compile_every_role(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Configuration]:
    """One node for each role, with the variables of its first case, by the name of the role."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        for path in sorted((REPOSITORY / "tests/cases/roles").glob("*.yml")):
            case = read_yaml(path)[0]
            patch.chdir(tmp_path_factory.mktemp(path.stem))
            node = {"address": "192.0.2.1", "roles": [path.stem], "variables": case["variables"]}
            inventory = {
                "site": "test",
                "connection": {"user": "admin", "password": "env:PASSWORD"},
                "encryption": {"certificate": "certificates/"},
                "nodes": {"n1": node},
            }
            Path("inventory.yaml").write_text(json.dumps(inventory), encoding="utf-8")
            configurations, problems = compile_project(Path.cwd(), [REPOSITORY])
            assert [each.render() for each in problems if each.severity.value == "error"] == []
            found[path.stem] = replace(configurations["n1"], node=NodeName(path.stem))
    return found


def written(name: str, compiled: dict[str, Configuration]) -> dict[str, Artifact]:
    emission = Emission(Registry.builtin(), seal=Sealer())
    found = {}
    for node, configuration in compiled.items():
        artifact, problems = EMITTERS[name](configuration, emission)
        assert [each.render() for each in problems] == []
        found[node] = artifact
    return found


def test_every_role_is_here(compiled: dict[str, Configuration]) -> None:
    assert set(compiled) == {path.parent.name for path in (REPOSITORY / "roles").glob("*/role.yaml")}


def test_each_format_has_files_and_digests_of_its_own(compiled: dict[str, Configuration]) -> None:
    found = [artifact for name in EMITTERS for artifact in written(name, compiled).values()]
    suffixes = {artifact.file_name.partition(".")[2] for artifact in found}
    assert suffixes == {"mof", "ps1", "dsc.config.yaml", "dsc.config.json"}
    assert len({artifact.sha256 for artifact in found}) == len(found) == len(compiled) * len(EMITTERS)
    assert found == [artifact for name in EMITTERS for artifact in written(name, compiled).values()]


# pywbem compiles all schemas for each document.
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_mof_is_read_by_both_readers(compiled: dict[str, Configuration]) -> None:
    for node, artifact in written("mof", compiled).items():
        reading, problems = read_mof(artifact.content, artifact.file_name)
        assert len(problems) == 0
        assert reading is not None
        assert reading.target_node == node
        kinds = [each.type for each in compiled[node].resources]
        assert all(pywbem_reader.can_read(each) for each in compiled[node].resources)
        read = pywbem_reader.read(artifact.content.decode("utf-16"), kinds)
        assert len([each for each in read if "ResourceId" in each]) == len(compiled[node].resources)


def test_scripts_are_parsed(compiled: dict[str, Configuration]) -> None:
    for artifact in written("ps1", compiled).values():
        assert mistakes(artifact.content.decode("utf-8-sig")) == []


def test_dsc_v3_documents_are_accepted(compiled: dict[str, Configuration], tmp_path: Path) -> None:
    as_yaml, as_json = written("dsc3-yaml", compiled), written("dsc3-json", compiled)
    files = []
    for artifact in (*as_yaml.values(), *as_json.values()):
        path = tmp_path / artifact.file_name
        path.write_bytes(artifact.content)
        files.append(path)
    for node in compiled:
        assert yaml.safe_load(as_yaml[node].content) == json.loads(as_json[node].content)
    check(tmp_path, files)
