"""``provision compile`` of nodes that take credentials: what is written, warned of and refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from tests.unit.secrets.certificate_files import make_certificate

PASSWORD = "canary-7c1e/documents"
INVENTORY = """\
site: s
connection: {user: u, password: 'env:NODE_PASSWORD'}
encryption: ENCRYPTION
nodes:
  n1: {address: 192.0.2.1, roles: [agent]}
  n2: {address: 192.0.2.2, roles: [agent]}
"""
DOCUMENT = """\
resources:
  - name: Agent
    type: PSDscResources/Service
    properties:
      Name: agent
      Credential: {user: 'EXAMPLE\\agent', password: 'env:AGENT_PASSWORD'}
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENT_PASSWORD", PASSWORD)
    role = 'description: x\nmodules: {PSDscResources: "2.12.0.0"}\nconfigurations: [agent]\n'
    for name, text in {"roles/agent/role.yaml": role, "dsc_configs/agent.dsc.yaml": DOCUMENT}.items():
        Path(name).parent.mkdir(parents=True)
        Path(name).write_text(text, encoding="utf-8")


def compiled(encryption: str) -> Result:
    Path("inventory.yaml").write_text(INVENTORY.replace("ENCRYPTION", encryption), encoding="utf-8")
    return CliRunner().invoke(main, ["compile", "inventory.yaml", "-o", "out"])


def document(node: str) -> str:
    return (Path("out") / f"{node}.mof").read_bytes().decode("utf-16")


def certificates(*names: str, days: int = 90) -> None:
    Path("certificates").mkdir(exist_ok=True)
    now = datetime.now(UTC)
    for name in names:
        made = make_certificate(begins=now - timedelta(days=100), ends=now + timedelta(days=days))
        (Path("certificates") / f"{name}.cer").write_bytes(made.encoded)


def test_each_node_gets_a_message_of_its_own_and_the_name_of_its_certificate() -> None:
    certificates("n1", "n2")
    done = compiled("{certificate: certificates/}")
    assert done.exit_code == 0, done.output
    messages, names = set(), set()
    for node in ("n1", "n2"):
        text = document(node)
        assert PASSWORD not in text
        assert re.search(r'ContentType\s*=\s*"PasswordEncrypted"', text)
        messages.update(re.findall(r'Password = "(-----BEGIN CMS-----\\n[^"]*\\n-----END CMS-----)"', text))
        meta = (Path("out") / f"{node}.meta.mof").read_bytes().decode("utf-16")
        names.update(re.findall(r'CertificateID = "([0-9A-F]{40})"', meta))
    assert len(messages) == len(names) == 2


def test_plain_text_is_written_when_it_is_allowed_and_warned_of_in_every_run() -> None:
    for _ in range(2):
        done = compiled("{plain_text: true}")
        assert done.exit_code == 0, done.output
        assert done.output.count("warning: Passwords stand in documents as they are") == 2
        assert PASSWORD not in done.output
    assert f'Password = "{PASSWORD}"' in document("n1")
    assert "ContentType" not in document("n1")


def test_the_missing_certificates_of_all_nodes_are_told_at_once() -> None:
    done = compiled("{certificate: certificates/}")
    assert done.exit_code == 2
    assert done.output.count("error: Certificate is missing") == 2
    assert not Path("out").exists()


def test_an_expired_certificate_is_refused() -> None:
    certificates("n1")
    certificates("n2", days=-1)
    done = compiled("{certificate: certificates/}")
    assert done.exit_code == 2
    assert "The certificate of node 'n2', certificates/n2.cer, must not be used: it expired on" in done.output


def test_a_secret_that_is_missing_is_told_for_every_node_that_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AGENT_PASSWORD")
    certificates("n1", "n2")
    done = compiled("{certificate: certificates/}")
    assert done.exit_code == 2
    assert (
        "The password for node 'n1' is env:AGENT_PASSWORD: the environment variable is not set."
        in done.output
    )
    assert (
        "The password for node 'n2' is env:AGENT_PASSWORD: the environment variable is not set."
        in done.output
    )


def test_without_a_word_about_encryption_nothing_is_written() -> None:
    done = compiled("null")
    assert done.exit_code == 2
    assert "encryption" in done.output
    assert not Path("out").exists()
