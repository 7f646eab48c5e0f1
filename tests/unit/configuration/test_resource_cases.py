"""Every case below tests/cases/resources: properties as an author writes them, and the MOF instance they become."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from provisioner.catalogue.registry import Registry
from provisioner.configuration.emit.mof import emit_mof
from provisioner.inventory.model import MofEncoding
from tests.compiling import REPOSITORY, compile_project, write
from tests.yaml_files import read_yaml

FOLDER = REPOSITORY / "tests/cases/resources"


def paths() -> list[Any]:
    return [
        pytest.param(path, id=f"{path.parent.name}-{path.stem}") for path in sorted(FOLDER.glob("*/*.yml"))
    ]


def emitted(case: dict[str, Any], folder: Path) -> str:
    module, _, _ = case["type"].partition("/")
    known = Registry.builtin().module(module)
    assert known is not None
    properties = textwrap.indent(case["properties"], " " * 6)
    write(
        folder,
        {
            "roles/web/role.yaml": "description: x\nconfigurations: [web]\n"
            f'modules: {{{module}: "{known.version}"}}\n',
            "dsc_configs/web.dsc.yaml": f"resources:\n  - name: one\n    type: {case['type']}\n"
            f"    properties:\n{properties}",
        },
    )
    configurations, problems = compile_project(folder)
    assert [problem.render() for problem in problems] == []
    text = emit_mof(configurations["n1"], MofEncoding.UTF8).content.decode().replace("\r", "")
    start, end = text.index("instance of "), text.index("instance of OMI_ConfigurationDocument")
    return text[start:end].replace(configurations["n1"].name, "NAME")


@pytest.mark.parametrize("path", paths())
def test_properties_become_this_instance(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    case = read_yaml(path)
    assert emitted(case, tmp_path) == case["mof"]
