"""Every example in a role's README compiles as it stands, and its table lists the variables there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from provisioner.roles.loader import RoleLibrary
from tests.compiling import REPOSITORY, compile_project

READMES = sorted(REPOSITORY.glob("roles/*/README.md"))


def test_every_role_has_a_readme() -> None:
    assert {path.parent.name for path in READMES} == {
        path.parent.name for path in REPOSITORY.glob("roles/*/role.yaml")
    }


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_the_example_compiles_without_a_word(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [example] = re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "inventory.yaml").write_text(example, encoding="utf-8")
    configurations, problems = compile_project(tmp_path, [REPOSITORY])
    assert [problem.render() for problem in problems] == []
    assert configurations


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_the_table_lists_the_variables_of_the_role(path: Path) -> None:
    role, _ = RoleLibrary([REPOSITORY]).load(path.parent.name)
    assert role is not None
    rows = re.findall(
        r"^\| `(\w+)` \| ([\w ]+) \| ([^|]+) \|", path.read_text(encoding="utf-8"), re.MULTILINE
    )
    listed = {name: (kind.split()[0], default.strip() == "required") for name, kind, default in rows}
    assert listed == {
        name: (variable.type.value, variable.is_required) for name, variable in role.variables.items()
    }
