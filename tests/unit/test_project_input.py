"""Where a project is, and what it refuses before anything is begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.errors import InputError, UsageError
from provisioner.project import ApplyRequest, Project, builtin_folder
from provisioner.reports.base import FanOut
from tests.compiling import BASE, write

THREE_NODES = """\
site: test
connection: {transport: psrp, user: admin}
nodes:
  n1: {address: 192.0.2.1, roles: [web], connection: {password: 'env:PROVISIONER_TEST_UNSET'}}
  n2: {address: 192.0.2.2, roles: [web], connection: {password: 'file:nothere'}}
  n3: {address: 192.0.2.3, roles: [web], connection: {password: 'env:PROVISIONER_TEST_SET'}}
"""


async def never(*_: object) -> bool:
    raise AssertionError("nobody is asked in these tests")


@pytest.mark.parametrize("mark", ["roles", "dsc_configs", ".provisioner"])
def test_a_project_is_the_nearest_folder_above_the_inventory_that_looks_like_one(
    tmp_path: Path, mark: str
) -> None:
    (tmp_path / "roles").mkdir()
    (tmp_path / "inner" / mark).mkdir(parents=True)
    (tmp_path / "inner" / "inventories" / "lab").mkdir(parents=True)
    assert Project.of(tmp_path / "inner" / "inventories" / "lab" / "i.yaml").root == tmp_path / "inner"
    assert Project.of(tmp_path / "i.yaml").root == tmp_path


def test_a_file_named_like_a_mark_makes_no_project(tmp_path: Path) -> None:
    (tmp_path / "roles").mkdir()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "roles").touch()
    assert Project.of(tmp_path / "inner" / "i.yaml").root == tmp_path


def test_built_in_roles_are_found() -> None:
    assert (builtin_folder() / "roles" / "hyperv_host" / "role.yaml").is_file()
    assert (builtin_folder() / "dsc_configs" / "hyperv_host.dsc.yaml").is_file()


def test_compiling_reads_and_writes_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, {"inventory.yaml": THREE_NODES})
    before = sorted(tmp_path.rglob("*"))
    compilation = Project(tmp_path).compile(tmp_path / "inventory.yaml")
    assert list(compilation.nodes) == ["n1", "n2", "n3"]
    assert sorted(tmp_path.rglob("*")) == before


def test_only_the_selected_nodes_are_compiled_but_the_whole_inventory_is_known(tmp_path: Path) -> None:
    write(tmp_path, {"inventory.yaml": THREE_NODES})
    compilation = Project(tmp_path).compile(tmp_path / "inventory.yaml", "!n2")
    assert list(compilation.nodes) == ["n1", "n3"]
    assert len(compilation.inventory.nodes) == 3
    with pytest.raises(UsageError, match="n9"):
        Project(tmp_path).compile(tmp_path / "inventory.yaml", "n9")


@pytest.mark.parametrize("operation", ["apply", "verify"])
def test_every_password_that_cannot_be_resolved_is_told_at_once_and_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setenv("PROVISIONER_TEST_SET", "the-third-password")
    monkeypatch.delenv("PROVISIONER_TEST_UNSET", raising=False)
    write(tmp_path, {"inventory.yaml": THREE_NODES})
    project = Project(tmp_path)
    compilation = project.compile(tmp_path / "inventory.yaml")
    begin = {
        "apply": lambda: project.apply(compilation, ApplyRequest(never), FanOut([])),
        "verify": lambda: project.verify(compilation, FanOut([])),
    }
    with pytest.raises(InputError) as caught:
        begin[operation]()
    assert len(caught.value.problems) == 2
    first, second = caught.value.problems
    assert "inventory.yaml:4:" in first
    assert "env:PROVISIONER_TEST_UNSET" in first
    assert "inventory.yaml:5:" in second
    assert "file:nothere" in second
    assert "the-third-password" not in str(caught.value)
    assert not project.state_file.exists()


def test_a_password_of_a_node_that_is_not_selected_is_not_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"inventory.yaml": THREE_NODES})
    project = Project(tmp_path)
    compilation = project.compile(tmp_path / "inventory.yaml", "n2")
    with pytest.raises(InputError) as caught:
        project.verify(compilation, FanOut([]))
    assert len(caught.value.problems) == 1


def test_problems_of_all_nodes_and_roles_are_told_at_once(tmp_path: Path) -> None:
    files = {
        "inventory.yaml": THREE_NODES.replace("[web]", "[wbe]", 1).replace("[web]", "[web, dsik]", 1),
        "roles/web/role.yaml": BASE["roles/web/role.yaml"] + "chekcs: []\n",
    }
    write(tmp_path, files)
    with pytest.raises(InputError) as caught:
        Project(tmp_path).compile(tmp_path / "inventory.yaml")
    text = str(caught.value)
    for words in ["'wbe'", "'dsik'", "'chekcs'"]:
        assert text.count(words) >= 1, text
    assert len(caught.value.problems) == len(set(caught.value.problems))
