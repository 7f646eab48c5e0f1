"""Certificates and secrets between a controller and nodes of the lab, as people run it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.lab.labs import EXAMPLE, LabRun, running_lab
from tests.unit.secrets.certificate_files import make_certificate

pytestmark = pytest.mark.slow

_HEAD = EXAMPLE.read_text(encoding="utf-8").split("\nnodes:")[0]
INVENTORY = f"""{_HEAD}

nodes:
  hv01: {{address: 127.20.0.11, groups: [compute], connection: {{user: tester, password: "file:.secrets/hv01"}}}}
  st01: {{address: 127.20.0.21, groups: [storage], connection: {{user: tester, password: "file:.secrets/st01"}}}}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRun]:
    with running_lab(tmp_path_factory.mktemp("secrets"), INVENTORY) as lab:
        yield lab


def certificate(run: LabRun, node: str) -> Path:
    return run.folder / ".secrets" / "certificates" / f"{node}.cer"


def nova_conf(run: LabRun) -> str:
    changed = run.machine("hv01").get("files", {}).get("changed", [])
    [content] = [each["content"] for each in changed if each["path"].endswith("\\nova.conf")] or [""]
    return base64.b64decode(content).decode()


def test_a_lab_hands_out_the_certificates_its_nodes_show(run: LabRun) -> None:
    done = run.provision("certificate", "fetch", str(run.inventory))
    assert done.returncode == 0, done.stderr
    assert sorted(line.partition(":")[0] for line in done.stdout.splitlines()) == ["hv01", "st01"]
    assert done.stdout.count(", unchanged in ") == 2


def test_a_certificate_that_is_not_there_is_fetched_once_and_then_pinned(run: LabRun) -> None:
    kept = certificate(run, "st01").read_bytes()
    certificate(run, "st01").unlink()
    done = run.provision("certificate", "fetch", str(run.inventory), "--limit", "st01")
    assert done.returncode == 0, done.stderr
    assert ", kept in " in done.stdout
    assert certificate(run, "st01").read_bytes() == kept
    other = make_certificate().encoded
    certificate(run, "st01").write_bytes(other)
    refused = run.provision("certificate", "fetch", str(run.inventory), "--limit", "st01")
    assert refused.returncode == 1
    assert "--replace" in refused.stderr
    assert certificate(run, "st01").read_bytes() == other
    replaced = run.provision("certificate", "fetch", str(run.inventory), "--limit", "st01", "--replace")
    assert replaced.returncode == 0, replaced.stderr
    assert certificate(run, "st01").read_bytes() == kept


def test_a_node_gets_no_encrypted_text_for_a_password_when_the_certificate_is_another_s(run: LabRun) -> None:
    kept = certificate(run, "hv01").read_bytes()
    now = datetime.now(UTC)
    foreign = make_certificate(begins=now - timedelta(days=1), ends=now + timedelta(days=99))
    certificate(run, "hv01").write_bytes(foreign.encoded)
    try:
        done = run.apply("--limit", "hv01", "--json")
        assert done.returncode == 1, done.stdout
        assert "arrived encrypted" in done.stdout
        assert "CMS" not in nova_conf(run)
    finally:
        certificate(run, "hv01").write_bytes(kept)
    done = run.apply("--limit", "hv01")
    assert done.returncode == 0, done.stdout + done.stderr
    secret = (run.folder / ".secrets" / "keystone-neutron").read_text(encoding="utf-8").strip()
    assert f"password = {secret}\r\n" in nova_conf(run)


def test_another_secret_is_another_document_and_is_applied(run: LabRun) -> None:
    assert run.apply("--limit", "hv01").returncode == 0
    file = run.folder / ".secrets" / "keystone-neutron"
    before = file.read_text(encoding="utf-8")
    jobs = run.count("hv01", "job-started")
    file.write_text("another-one\n", encoding="utf-8")
    done = run.apply("--limit", "hv01")
    assert done.returncode == 0, done.stdout + done.stderr
    assert run.count("hv01", "job-started") == jobs + 1
    assert "password = another-one\r\n" in nova_conf(run)
    assert before.strip() not in nova_conf(run)
    assert run.apply("--limit", "hv01").returncode == 0
    assert run.count("hv01", "job-started") == jobs + 1, "the same secret makes the same document"


PEEK = """\
def test_peek(host):
    text = host.file(r"C:\\OpenStack\\cloudbase\\nova\\etc\\nova.conf").content_string
    said = [line for line in text.splitlines() if line.startswith("password")]
    assert not said, said[0]
"""


def test_a_check_that_shows_a_file_with_secrets_shows_them_masked(run: LabRun) -> None:
    assert run.apply("--limit", "hv01").returncode == 0
    role = run.folder / "roles" / "peek"
    (role / "checks").mkdir(parents=True)
    (role / "role.yaml").write_text("description: Looks.\nchecks: [checks/test_peek.py]\n", encoding="utf-8")
    (role / "checks" / "test_peek.py").write_text(PEEK, encoding="utf-8")
    run.write(INVENTORY.replace("groups: [compute],", "groups: [compute], roles: [peek],"))
    try:
        shown = [run.verify("--limit", "hv01", *more) for more in ([], ["--json"])]
        shown.append(run.apply("--limit", "hv01"))
    finally:
        run.write(INVENTORY)
    texts = [
        file.read_text("utf-8").strip() for file in (run.folder / ".secrets").iterdir() if file.is_file()
    ]
    assert len(texts) == 6
    for done in shown:
        assert done.returncode == 1
        assert "<secret>" in done.stdout
        assert not [text for text in texts if text in done.stdout + done.stderr]


def test_documents_are_the_same_bytes_in_every_run(run: LabRun) -> None:
    found = []
    for name in ("one", "two"):
        done = run.provision("compile", str(run.inventory), "-o", name)
        assert done.returncode == 0, done.stderr
        found.append((run.folder / name / "hv01.mof").read_bytes())
    assert found[0] == found[1]
    assert "-----BEGIN CMS-----" in found[0].decode("utf-16")


def test_a_node_that_is_not_there_is_told_and_the_others_are_fetched(run: LabRun) -> None:
    absent = "\n  gone: {address: 127.20.0.99, connection: {user: tester, password: 'file:.secrets/hv01', connect_timeout: 1}}\n"
    run.write(INVENTORY + absent)
    try:
        done = run.provision("certificate", "fetch", str(run.inventory))
    finally:
        run.write(INVENTORY)
    assert done.returncode == 1
    assert "hv01: " in done.stdout
    assert "gone (http://" in done.stderr
    assert "1 node of 3 failed." in done.stderr
