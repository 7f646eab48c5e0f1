"""Roles are found along the search path and read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.roles.loader import RoleLibrary, inside, shown
from tests.compiling import REPOSITORY, write


@pytest.fixture
def two_projects(tmp_path: Path) -> tuple[Path, Path]:
    mine, builtin = tmp_path / "mine", tmp_path / "builtin"
    write(mine, {"roles/web/role.yaml": "description: mine\nconfigurations: [shared]\n"})
    write(
        builtin,
        {
            "roles/web/role.yaml": "description: built in\n",
            "roles/other/role.yaml": "description: other\n",
            "dsc_configs/shared.dsc.yaml": "resources: []\n",
        },
    )
    return mine, builtin


def test_the_first_folder_of_the_search_path_wins(two_projects: tuple[Path, Path]) -> None:
    library = RoleLibrary(two_projects)
    role, problems = library.load("web")
    assert [problem.render() for problem in problems] == []
    assert role is not None
    assert role.description == "mine"
    assert library.names == ("other", "web")


def test_a_configuration_may_come_from_another_folder_than_the_role(two_projects: tuple[Path, Path]) -> None:
    role, problems = RoleLibrary([two_projects[0]]).load("web")
    assert role is None
    assert [problem.summary for problem in problems] == ["Configuration file not found"]


def test_what_is_there_and_no_file_is_not_said_to_be_missing(two_projects: tuple[Path, Path]) -> None:
    (two_projects[0] / "dsc_configs" / "shared.dsc.yaml").symlink_to("nowhere")
    _, problems = RoleLibrary([two_projects[0]]).load("web")
    [problem] = problems
    assert "is there, but it is no file" in problem.detail
    assert "Did you mean" not in problem.help


def test_a_role_is_read_once(two_projects: tuple[Path, Path]) -> None:
    library = RoleLibrary(two_projects)
    first, _ = library.load("other")
    (two_projects[1] / "roles/other/role.yaml").unlink()
    assert library.load("other")[0] is first


@pytest.mark.parametrize("name", ["missing", "..", "../web", "", "web/../web", "/etc"])
def test_what_is_no_role_is_not_found(name: str, two_projects: tuple[Path, Path]) -> None:
    library = RoleLibrary(two_projects)
    assert not library.has(name)
    role, problems = library.load(name)
    assert role is None
    assert len(problems) == 0


@pytest.mark.parametrize("written", ["", "..", "../a", "a/../../b", "/a", "C:\\a", "C:a", "a\\b", "a\0b"])
def test_a_path_that_could_lead_out_of_a_folder_is_refused(written: str, tmp_path: Path) -> None:
    assert inside(tmp_path, written) is None


def test_a_link_that_leads_out_of_a_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    assert inside(folder, "link") is None
    (folder / "file").write_text("x")
    assert inside(folder, "./file") == folder / "file"


def test_a_path_is_shown_the_shorter_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "roles/web/role.yaml") == "roles/web/role.yaml"
    assert shown(Path("/a")) in {"/a", "../a"}


def test_every_built_in_role_is_read_without_a_problem() -> None:
    library = RoleLibrary([REPOSITORY])
    folders = {each.name for each in (REPOSITORY / "roles").iterdir() if each.is_dir()}
    assert set(library.names) == folders
    assert {"hyperv_host", "iscsi_target", "nova_compute", "windows_base"} <= folders
    for name in library.names:
        role, problems = library.load(name)
        assert [problem.render() for problem in problems] == []
        assert role is not None
        assert len(role.checks) == 1


def test_a_check_file_that_is_not_listed_is_a_warning(tmp_path: Path) -> None:
    role = tmp_path / "roles" / "web"
    (role / "checks").mkdir(parents=True)
    (role / "role.yaml").write_text("description: A web server.\n")
    (role / "checks" / "test_web.py").write_text("def test_nothing(host): ...\n")
    _, problems = RoleLibrary([tmp_path]).load("web")
    assert [problem.summary for problem in problems] == ["Check file is not listed"]
    assert not problems.has_errors


@pytest.mark.parametrize("name", ["resources", "range", "self", "is"])
def test_a_role_cannot_declare_a_variable_that_no_inventory_could_set(tmp_path: Path, name: str) -> None:
    role = tmp_path / "roles" / "web"
    role.mkdir(parents=True)
    (role / "role.yaml").write_text(
        f"description: A server.\nvariables: {{{name}: {{type: string, description: A.}}}}\n"
    )
    _, problems = RoleLibrary([tmp_path]).load("web")
    assert [problem.summary for problem in problems] == ["Variable cannot have this name"]
