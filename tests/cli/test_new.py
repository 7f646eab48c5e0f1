"""``provision new``: what is written is whole, valid and works as it stands; nothing that is there is lost."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from tests.roles.runs import run as run_role


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def new(*arguments: str, project: Path) -> Result:
    return run("new", *arguments, "--project", str(project))


def validated(project: Path, inventory: str) -> Result:
    (project / "inventory.yaml").write_text(inventory)
    return run("validate", str(project / "inventory.yaml"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    done = new("role", "web", project=tmp_path)
    assert done.exit_code == 0, done.output
    return tmp_path


def example(project: Path) -> str:
    found = re.search(r"```yaml\n(.*?)```", (project / "roles/web/README.md").read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_of_a_new_role_is_valid_and_a_wrong_value_is_refused(project: Path) -> None:
    done = validated(project, example(project))
    assert done.exit_code == 0, done.output
    assert "warning" not in done.output
    for old, new_, said in [
        ("web_text: Hello.", "web_text: '  '", "would say nothing"),
        ("web_text: Hello.", "web_txt: Hello.", "web_text"),
        ("web_text: Hello.", "web_text: x\n      web_path: etc/web", "begins with a drive"),
    ]:
        refused = validated(project, example(project).replace(old, new_))
        assert refused.exit_code == 2
        assert said in refused.output


def test_a_new_role_does_what_it_says_in_the_lab_and_is_undone(project: Path) -> None:
    run_role(
        {
            "role": "web",
            "variables": {"web_text": "Hello."},
            "bare": {"reboots": 0},
            "drift": [
                {
                    "case": "Somebody removes the file.",
                    "console": ["Remove-Item -Path C:\\ProgramData\\web.txt"],
                    "sets": ["[ConfigurationFile]web"],
                }
            ],
            "changes": [
                {
                    "case": "Another text.",
                    "variables": {"web_text": "Bye."},
                    "sets": ["[ConfigurationFile]web"],
                }
            ],
            "decommission": {"sets": ["[ConfigurationFile]web"]},
        },
        "2022",
        project,
    )


def test_a_new_check_is_listed_by_its_role_and_asks_what_nodes_can_answer(project: Path) -> None:
    before = yaml.safe_load((project / "roles/web/role.yaml").read_text("utf-8"))
    done = new("check", "web/service_runs", project=project)
    assert done.exit_code == 0, done.output
    after = yaml.safe_load((project / "roles/web/role.yaml").read_text("utf-8"))
    assert set(after.pop("checks")) == {*before.pop("checks"), "checks/test_service_runs.py"}
    assert after == before
    assert validated(project, example(project)).exit_code == 0
    source = (project / "roles/web/checks/test_service_runs.py").read_text("utf-8")
    [function] = [each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef)]
    assert function.name == "test_service_runs"


@pytest.mark.parametrize(
    "listed",
    ["", "checks: []\n", "checks: [checks/test_web.py]\n", "checks:\n- checks/test_web.py\n"],
)
def test_a_check_is_added_however_the_list_is_written(project: Path, listed: str) -> None:
    path = project / "roles/web/role.yaml"
    path.write_text(path.read_text("utf-8").replace("checks:\n  - checks/test_web.py\n", listed))
    assert new("check", "web/more", project=project).exit_code == 0
    found = yaml.safe_load(path.read_text("utf-8"))["checks"]
    assert "checks/test_more.py" in found
    assert ("checks/test_web.py" in found) == ("test_web" in listed)


def test_a_new_configuration_is_valid_in_a_role(project: Path) -> None:
    assert new("configuration", "more", project=project).exit_code == 0
    path = project / "roles/web/role.yaml"
    path.write_text(path.read_text("utf-8").replace("  - web\n", "  - web\n  - more\n", 1))
    done = validated(project, example(project))
    assert done.exit_code == 0, done.output


def test_the_new_files_have_the_shape_of_the_shipped_ones(project: Path) -> None:
    for path in project.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert text.endswith("\n")
            assert max(len(line) for line in text.splitlines()) <= 115, path


def test_nothing_that_is_there_is_lost(project: Path) -> None:
    path = project / "roles/web/role.yaml"
    path.write_text("mine\n")
    done = new("role", "web", project=project)
    assert (done.exit_code, path.read_text()) == (2, "mine\n")
    assert "exists already" in done.output
    (project / "dsc_configs/other.dsc.yaml").write_text("mine\n")
    assert new("role", "other", project=project).exit_code == 2
    assert not (project / "roles/other").exists()
    assert new("role", "web", "--force", project=project).exit_code == 0
    assert path.read_text() != "mine\n"


@pytest.mark.parametrize("name", ["Web", "1web", "web-site", "../web", "class", "", "w" * 42, "we b"])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    for kind in ("role", "configuration"):
        done = new(kind, name, project=tmp_path)
        assert done.exit_code == 2
        assert "cannot be called" in done.output
        assert ("word of Python" in done.output) == (name == "class")
    assert list(tmp_path.iterdir()) == []


def test_a_shipped_role_is_replaced_only_with_force_and_a_check_needs_a_role(tmp_path: Path) -> None:
    assert "shipped role" in new("role", "mpio", project=tmp_path).output
    assert "shipped configuration" in new("configuration", "mpio", project=tmp_path).output
    assert list(tmp_path.iterdir()) == []
    assert new("role", "mpio", "--force", project=tmp_path).exit_code == 0
    assert "which role" in new("check", "runs", project=tmp_path).output
    assert "Did you mean 'mpio'?" in new("check", "mpi/runs", project=tmp_path).output
    assert "has no role 'windows_base'" in new("check", "windows_base/runs", project=tmp_path).output
