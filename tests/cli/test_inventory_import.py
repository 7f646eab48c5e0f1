"""``provision inventory import`` as people use it: files, modes, what is overwritten, what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main

HOSTS = """\
[win]
web01 ansible_host=192.0.2.1
web02 ansible_host=192.0.2.2 ansible_password=cAnArY2
[win:vars]
ansible_connection=psrp
ansible_user=DOM\\admin
ansible_password=cAnArY1
ansible_become=yes
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hosts.ini").write_text(HOSTS, encoding="utf-8")


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["inventory", "import", *arguments])


def test_the_result_can_be_listed_and_names_no_secret() -> None:
    result = invoke("hosts.ini", "-o", "site/inventory.yaml")
    assert result.exit_code == 0, result.output
    written = Path("site/inventory.yaml").read_text(encoding="utf-8")
    assert "cAnArY" not in written + result.output
    assert "  .secrets/web02" in result.stdout
    assert "Imported 2 nodes into site/inventory.yaml." in result.stdout
    assert "hosts.ini:8:1: Variable is left out: 'ansible_become' has no counterpart here." in result.stderr
    listed = CliRunner().invoke(main, ["inventory", "list", "site/inventory.yaml"])
    assert [line.split()[:3] for line in listed.stdout.splitlines()] == [
        ["web01", "192.0.2.1", "win"],
        ["web02", "192.0.2.2", "win"],
    ]
    assert not Path("site/.secrets").exists()


def test_secrets_are_written_only_when_asked_for_and_only_for_the_user() -> None:
    result = invoke("hosts.ini", "-o", "site/inventory.yaml", "--write-secrets")
    assert result.exit_code == 0, result.output
    assert "cAnArY" not in result.output
    folder = Path("site/.secrets")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {
        "win": "cAnArY1",
        "web02": "cAnArY2",
    }
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_same_source_gives_the_same_bytes() -> None:
    for name in ("one.yaml", "two.yaml"):
        assert invoke("hosts.ini", "-o", name).exit_code == 0
    assert Path("one.yaml").read_bytes() == Path("two.yaml").read_bytes()


def test_nothing_is_overwritten_without_force() -> None:
    Path("inventory.yaml").write_text("mine", encoding="utf-8")
    result = invoke("hosts.ini")
    assert result.exit_code == 2
    assert "inventory.yaml exists already; nothing was written." in result.stderr
    assert Path("inventory.yaml").read_text(encoding="utf-8") == "mine"
    assert invoke("hosts.ini", "--force").exit_code == 0
    assert "web01" in Path("inventory.yaml").read_text(encoding="utf-8")


def test_a_secret_that_is_there_stops_everything_before_anything_is_written() -> None:
    Path(".secrets").mkdir()
    Path(".secrets/win").write_text("mine", encoding="utf-8")
    assert invoke("hosts.ini", "--write-secrets").exit_code == 2
    assert not Path("inventory.yaml").exists()
    assert Path(".secrets/win").read_text(encoding="utf-8") == "mine"
    assert invoke("hosts.ini", "--write-secrets", "--force").exit_code == 0
    assert Path(".secrets/win").read_text(encoding="utf-8") == "cAnArY1"


def test_a_source_that_is_wrong_writes_nothing_and_shows_every_problem() -> None:
    Path("bad.ini").write_text("[win\na b\nc d\n", encoding="utf-8")
    result = invoke("bad.ini")
    assert result.exit_code == 2
    assert "bad.ini:2:3: error: Variable has another form" in result.stderr
    assert "bad.ini:3:3: error: Variable has another form" in result.stderr
    assert not Path("inventory.yaml").exists()


def test_the_site_and_the_form_can_be_said() -> None:
    Path("machines.txt").write_text(
        "Host dc\n  HostName 192.0.2.9\n  User v\n  Port 5985\n", encoding="utf-8"
    )
    result = invoke("machines.txt", "--format", "vagrant", "--site", "lab9")
    assert result.exit_code == 0, result.output
    assert "site: lab9" in Path("inventory.yaml").read_text(encoding="utf-8")
    assert invoke("machines.txt", "--format", "nonsense").exit_code == 2
