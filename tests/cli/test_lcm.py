"""``provision lcm``: metaconfigurations of a profile for the nodes of an inventory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from provisioner.configuration.reading.parser import read_mof
from tests.secret_files import write_secret_files

INVENTORY = """\
site: test
connection: {user: admin, password: env:PASSWORD}
encryption: {certificate: .secrets/certificates/}
nodes: {hv01: {address: 192.0.2.1}, hv02: {address: 192.0.2.2}}
"""
PULLED = """\
settings: {ConfigurationMode: ApplyAndMonitor, RefreshMode: Pull}
managers:
  - type: ConfigurationRepositoryWeb
    name: Pull
    properties: {ServerURL: 'https://pull.example.org/', RegistrationKey: env:KEY, ConfigurationNames: [Base]}
"""
SHARED = """\
settings: {RefreshMode: Pull}
managers:
  - type: ConfigurationRepositoryShare
    name: Share
    properties: {SourcePath: '\\\\files\\dsc', Credential: {user: 'EXAMPLE\\reader', password: file:.secrets/hv01}}
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roles").mkdir()
    (tmp_path / "inventory.yaml").write_text(INVENTORY, encoding="utf-8")


def lcm(profile: str, *more: str) -> Result:
    Path("profile.yaml").write_text(profile, encoding="utf-8")
    return CliRunner().invoke(main, ["lcm", "inventory.yaml", "profile.yaml", "-o", "out", *more])


def test_each_selected_node_gets_the_settings_of_the_profile() -> None:
    done = lcm(
        "settings: {RebootNodeIfNeeded: true, ConfigurationMode: applyonly}\n", "--limit", "hv02", "--json"
    )
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["meta_document"] for line in done.stdout.splitlines()] == ["out/hv02.meta.mof"]
    assert [path.name for path in Path("out").iterdir()] == ["hv02.meta.mof"]
    read, problems = read_mof(Path("out/hv02.meta.mof").read_bytes(), "hv02.meta.mof")
    assert read is not None, list(problems)
    settings = read.document.instances[0]
    assert settings.get("RebootNodeIfNeeded") is True
    assert settings.get("ConfigurationMode") == "ApplyOnly"


def test_a_registration_key_makes_the_document_the_owners_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "k3y-for-the-pull-server")
    done = lcm(PULLED)
    assert done.exit_code == 0, done.output
    assert "Registration key stands in the document" in done.stderr
    assert "k3y-for" not in done.output
    assert "k3y-for" in Path("out/hv01.meta.mof").read_text(encoding="utf-16")
    assert Path("out/hv01.meta.mof").stat().st_mode & 0o777 == 0o600


def test_a_key_that_cannot_be_had_is_said_and_nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEY", raising=False)
    done = lcm(PULLED)
    assert done.exit_code == 2
    assert "env:KEY: the environment variable is not set." in done.stderr
    assert not Path("out").exists()


def test_a_credential_is_encrypted_to_the_certificate_of_each_node(tmp_path: Path) -> None:
    assert lcm(SHARED).exit_code == 2, "there is no certificate yet"
    write_secret_files(tmp_path)
    done = lcm(SHARED)
    assert done.exit_code == 0, done.output
    text = Path("out/hv01.meta.mof").read_text(encoding="utf-16")
    assert "-----BEGIN CMS-----" in text
    assert 'ContentType="PasswordEncrypted"' in text
    assert "secret of hv01" not in text
    assert Path("out/hv01.meta.mof").stat().st_mode & 0o077 != 0, "nothing in it is in clear"


def test_a_wrong_setting_is_told_at_its_place() -> None:
    done = lcm("settings: {ConfigurationMod: ApplyOnly}\n")
    assert done.exit_code == 2
    assert "profile.yaml:1:12: error:" in done.stderr
    assert "ConfigurationMode" in done.stderr


def test_settings_beside_a_configuration_have_another_closing_block() -> None:
    assert lcm("beside_configuration: true\nsettings: {RefreshMode: Push}\n").exit_code == 0
    assert "CompatibleVersionAdditionalProperties= { };" in Path("out/hv01.meta.mof").read_text("utf-16")
    refused = lcm("beside_configuration: yes\n")
    assert refused.exit_code == 2
    assert "profile.yaml:1:23: error: Wrong kind of value" in refused.stderr
