"""The same configuration written in our YAML compiles to what Windows PowerShell wrote.

A case holds what an author would write: modules, variables and resources. Values are those of the document, which
was not always compiled from the revision of the script that lies beside it. ``block`` is what our closing
block has where it differs: Windows PowerShell was a preview, or the settings stood inside an ordinary configuration.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner import documents
from provisioner.catalogue.registry import Registry
from tests.compiling import REPOSITORY, compile_project
from tests.goldens.comparing import (
    block_of,
    compiled,
    emitted,
    golden_bytes,
    read,
    resources_of,
    settings_compiled,
    settings_of,
)
from tests.yaml_files import read_yaml

CASES = sorted((REPOSITORY / "tests" / "goldens" / "cases").glob("*.yaml"))
NODE = "node"


def project(folder: Path, case: dict[str, Any]) -> None:
    inventory = {
        "site": "golden",
        "connection": {"transport": "psrp", "user": "admin", "password": "env:PASSWORD"},
        "nodes": {NODE: {"address": "192.0.2.1", "roles": ["golden"]}},
    }
    role = {
        "description": "A real configuration.",
        "variables": case.get("variables", {}),
        "modules": case["modules"],
        "configurations": ["golden"],
    }
    for path, data in {
        "inventory.yaml": inventory,
        "roles/golden/role.yaml": role,
        "dsc_configs/golden.dsc.yaml": {"resources": case["resources"]},
    }.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(documents.dump(data), encoding="utf-8")


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_yaml_compiles_to_what_windows_wrote(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = read_yaml(path)
    theirs = read(golden_bytes(path.stem))
    if "refused" in case:
        project(tmp_path, case)
        monkeypatch.chdir(tmp_path)
        _, problems = compile_project(tmp_path, registry=Registry.builtin())
        [problem] = problems
        assert problem.summary == case["refused"]["summary"]
        assert problem.where is not None
        # The list begins on the line below its key.
        assert problem.where.source.line(problem.where.line - 1).strip() == f"{case['refused']['list']}:"
        return
    if "profile" in case:
        profile = tmp_path / "profile.yaml"
        profile.write_text(documents.dump(case["profile"]), encoding="utf-8")
        ours = settings_compiled(profile)
        assert settings_of(ours) == settings_of(theirs)
    else:
        project(tmp_path, case)
        ours = emitted(compiled(tmp_path, monkeypatch))
        assert resources_of(ours) == resources_of(theirs)
    expected = {name: tuple(value) for name, value in case.get("block", {}).items()}
    assert block_of(ours) == {**block_of(theirs), **expected}


def test_there_are_cases() -> None:
    assert len(CASES) >= 17
