"""Every case below tests/cases/roles: a built-in role with variables, and the document it becomes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from provisioner.configuration.emit.mof import emit_mof
from provisioner.inventory.model import MofEncoding
from provisioner.project.sealers import Withheld
from tests.compiling import REPOSITORY, compile_project, write
from tests.yaml_files import read_yaml

FOLDER = REPOSITORY / "tests/cases/roles"


def cases() -> list[Any]:
    return [
        pytest.param(path.stem, case, id=f"{path.stem}-{case['case'].replace(' ', '-')}")
        for path in sorted(FOLDER.glob("*.yml"))
        for case in read_yaml(path)
    ]


def emitted(role: str, variables: dict[str, Any], folder: Path) -> str:
    inventory = f"""\
site: test
connection: {{transport: psrp, user: admin, password: 'env:PASSWORD'}}
encryption: {{certificate: certificates/}}
nodes:
  n1: {{address: 192.0.2.1, roles: [{role}], variables: {json.dumps(variables)}}}
"""
    write(folder, {"inventory.yaml": inventory})
    configurations, problems = compile_project(folder, [REPOSITORY])
    assert [problem.render() for problem in problems] == []
    # Passwords are masks: what stands for them differs from run to run.
    seal = Withheld(is_encrypted=True)
    artifact = emit_mof(configurations["n1"], MofEncoding.UTF8, seal=seal)
    text = artifact.content.decode().replace("\r", "")
    start, end = text.index("instance of "), text.index("instance of OMI_ConfigurationDocument")
    # Where a resource is declared is held against Windows' documents elsewhere; here another line is no difference.
    text = re.sub(r"(\.dsc\.yaml)::\d+::\d+::", r"\1::", text[start:end])
    return text.replace(configurations["n1"].name, "NAME")


@pytest.mark.parametrize(("role", "case"), cases())
def test_a_role_becomes_this_document(
    role: str, case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert emitted(role, case["variables"], tmp_path) == case["mof"]


def test_every_built_in_role_has_a_case() -> None:
    roles = {path.parent.name for path in REPOSITORY.glob("roles/*/role.yaml")}
    assert {path.stem for path in FOLDER.glob("*.yml")} == roles
