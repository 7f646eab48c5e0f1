"""Every YAML file that travels with the package or is made by ``init`` has its schema, and check-jsonschema accepts it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from provisioner.cli.app import main
from provisioner.editor.files import KINDS, file_name
from tests.compiling import REPOSITORY
from tests.unit.editor.schemas import texts

SHIPPED = {
    "inventory": [*sorted(REPOSITORY.glob("inventories/**/inventory.yaml"))],
    "role": sorted(REPOSITORY.glob("roles/*/role.yaml")),
    "configuration": sorted(REPOSITORY.glob("dsc_configs/*.dsc.yaml")),
}
BAD = REPOSITORY / "tests/cases/editor"


def check(schema: Path, *files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )


def schema_named_in(file: Path) -> Path:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found, f"{file} does not say where its schema is"
    return (file.parent / found[1]).resolve()


@pytest.mark.parametrize("kind", KINDS)
def test_the_committed_schema_is_the_one_that_would_be_made_now(kind: str) -> None:
    path = REPOSITORY / "schemas" / file_name(kind)
    if os.environ.get("REGENERATE"):
        path.write_text(texts()[kind], encoding="utf-8")
    assert path.read_text(encoding="utf-8") == texts()[kind], "run this test with REGENERATE=1"


@pytest.mark.parametrize("kind", SHIPPED)
def test_every_shipped_file_names_its_schema(kind: str) -> None:
    assert SHIPPED[kind]
    for file in SHIPPED[kind]:
        assert schema_named_in(file) == REPOSITORY / "schemas" / file_name(kind)


@pytest.mark.parametrize("kind", SHIPPED)
def test_check_jsonschema_accepts_every_shipped_file(kind: str) -> None:
    done = check(REPOSITORY / "schemas" / file_name(kind), *SHIPPED[kind])
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schemas_are_schemas() -> None:
    files = [str(REPOSITORY / "schemas" / file_name(kind)) for kind in KINDS]
    command = [sys.executable, "-m", "check_jsonschema", "--check-metaschema", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_project_names_schemas_that_are_there_and_accept_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init", "mine"]).exit_code == 0
    inventory = tmp_path / "mine/inventories/lab/inventory.yaml"
    done = check(schema_named_in(inventory), inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    notes = {"roles/x": "roles/README.md", "dsc_configs": "dsc_configs/README.md"}
    for folder, note in notes.items():
        text = (tmp_path / "mine" / note).read_text(encoding="utf-8")
        named = re.search(r"\$schema=(\S+)", text)
        assert named
        assert (tmp_path / "mine" / folder / named[1]).resolve().is_file()


@pytest.mark.parametrize("kind", KINDS)
def test_check_jsonschema_refuses_every_bad_file(kind: str, tmp_path: Path) -> None:
    files = sorted((BAD / kind).glob("*.yml"))
    assert len(files) > 5
    accepted = []
    schema = REPOSITORY / "schemas" / file_name(kind)
    # One run for all: each refused file is named in the answer.
    done = check(schema, *files)
    assert done.returncode != 0
    for file in files:
        if str(file) not in done.stdout + done.stderr:
            accepted.append(file.name)
    assert accepted == []


def test_schema_writes_one_kind_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["schema", "role", "-o", "there"])
    assert result.exit_code == 0, result.output
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["role.schema.json"]


def test_the_same_project_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("one", "two"):
        assert CliRunner().invoke(main, ["schema", "-o", folder]).exit_code == 0
    for kind in KINDS:
        assert (tmp_path / "one" / file_name(kind)).read_bytes() == (
            tmp_path / "two" / file_name(kind)
        ).read_bytes()


def test_a_role_that_is_wrong_is_told_and_does_not_stop_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roles/broken").mkdir(parents=True)
    (tmp_path / "roles/broken/role.yaml").write_text("descripton: x\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["schema"])
    assert result.exit_code == 0
    assert "Did you mean 'description'?" in result.stderr
    assert "hyperv_switch_name" in (tmp_path / "schemas/inventory.schema.json").read_text(encoding="utf-8")
