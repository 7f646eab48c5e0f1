"""Credentials in a fleet: sealed for each node, kept nowhere, and known to have changed when they have."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provisioner.addresses import NodeName
from provisioner.configuration.emit.meta_mof import META_SETTINGS
from provisioner.errors import InputError
from provisioner.project import Project
from tests.unit.project.fleets import compiled, contents, made, write_files
from tests.unit.secrets.certificate_files import make_certificate, rsa_key

SECRET = "a-Secret-of-this-test"
FILES = {
    "roles/base/role.yaml": """\
description: A user.
modules: {PSDscResources: "2.12.0.0"}
configurations: [base]
""",
    "roles/plain/role.yaml": """\
description: No user.
modules: {PSDscResources: "2.12.0.0"}
configurations: [plain]
""",
    "dsc_configs/base.dsc.yaml": """\
resources:
  - name: operator
    type: PSDscResources/User
    properties: {UserName: operator, Password: {user: operator, password: 'env:FLEET_SECRET'}}
""",
    "dsc_configs/plain.dsc.yaml": """\
resources:
  - {name: spooler, type: PSDscResources/Service, properties: {Name: Spooler}}
""",
    "inventory.yaml": """\
site: here
connection: {user: admin, password: 'env:FLEET_LOGIN', encoding: utf-8}
encryption: {certificate: certificates/}
nodes:
  n1: {address: 192.0.2.1, roles: [base]}
  n2: {address: 192.0.2.2, roles: [base]}
  n3: {address: 192.0.2.3, roles: [plain]}
""",
}


def certificate(number: int) -> bytes:
    """Make a certificate that is valid whenever this is run."""
    begins, ends = datetime(2020, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)
    return make_certificate(key=rsa_key(number=number), begins=begins, ends=ends).pem


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLEET_SECRET", SECRET)
    (tmp_path / "certificates").mkdir()
    for number, name in enumerate(("n1", "n2")):
        (tmp_path / "certificates" / f"{name}.cer").write_bytes(certificate(number))
    return write_files(tmp_path, FILES)


def state(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in (folder / ".provisioner").rglob("*") if path.is_file())


def test_a_sealed_document_stays_the_same_and_its_node_is_told_the_certificate(
    tmp_path: Path, inventory: Path
) -> None:
    compiled(inventory)
    first = contents(tmp_path / "out")
    assert b"-----BEGIN CMS-----" in first["n1.mof"]
    assert b'ContentType="PasswordEncrypted"' in first["n1.mof"]
    assert b"CertificateID" in first["n1.meta.mof"]
    assert b"CertificateID" not in first["n3.meta.mof"]
    assert first["n1.mof"] != first["n2.mof"]
    assert made(compiled(inventory)) == set()
    compiled(inventory, use_cache=False)
    assert contents(tmp_path / "out") == first
    kept = state(tmp_path) + b"".join(first.values())
    for form in (SECRET.encode(), SECRET.encode("utf-16-le"), hashlib.sha256(SECRET.encode()).digest()):
        assert form not in kept
        assert form.hex().encode() not in kept


def test_another_secret_seals_the_nodes_that_have_it_again(
    tmp_path: Path, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = compiled(inventory)
    monkeypatch.setenv("FLEET_SECRET", "another")
    again = compiled(inventory)
    assert made(again) == {"n1", "n2"}
    name = NodeName("n1")
    assert again.nodes[name].because == ("a secret or the certificate changed",)
    assert again.nodes[name].configuration == before.nodes[name].configuration


def test_another_certificate_seals_its_node_again(tmp_path: Path, inventory: Path) -> None:
    compiled(inventory)
    (tmp_path / "certificates" / "n2.cer").write_bytes(certificate(7))
    assert made(compiled(inventory)) == {"n2"}
    (tmp_path / "certificates" / "n2.cer").unlink()
    with pytest.raises(InputError, match="Certificate is missing"):
        compiled(inventory)


def test_a_resumed_run_knows_a_document_with_another_secret_as_another(
    inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project.of(inventory)

    def digests() -> dict[str, str]:
        return {str(name): node.digest for name, node in project.compile(inventory).nodes.items()}

    first = digests()
    assert digests() == first
    monkeypatch.setenv("FLEET_SECRET", "another")
    second = digests()
    assert {name for name in first if first[name] != second[name]} == {"n1", "n2"}
    assert second["n3"] == project.compile(inventory).nodes[NodeName("n3")].configuration.name


def test_what_is_sent_to_a_node_names_its_certificate_and_hides_its_secrets(inventory: Path) -> None:
    nodes = Project.of(inventory).compile(inventory).nodes
    settings = nodes[NodeName("n1")].meta_settings
    assert list(settings) == [*META_SETTINGS, "CertificateID"]
    assert len(settings["CertificateID"]) == 40
    assert [secret.reveal() for secret in nodes[NodeName("n1")].opened]
    assert SECRET not in repr(nodes)


def test_plain_text_is_warned_of_in_every_run_and_never_remembered(tmp_path: Path, inventory: Path) -> None:
    write_files(
        tmp_path,
        {"inventory.yaml": FILES["inventory.yaml"].replace("certificate: certificates/", "plain_text: true")},
    )
    for expected in ({"n1", "n2", "n3"}, {"n1", "n2"}):
        written = compiled(inventory)
        assert made(written) == expected
        assert any("Passwords stand in documents" in problem.summary for problem in written.warnings)
    document = contents(tmp_path / "out")["n1.mof"]
    assert SECRET.encode() in document
    assert SECRET.encode() not in state(tmp_path)
    assert hashlib.sha256(document).hexdigest().encode() not in state(tmp_path)


def test_only_a_document_with_passwords_as_they_are_is_its_owners_alone(
    tmp_path: Path, inventory: Path
) -> None:
    def modes() -> dict[str, int]:
        return {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "out").glob("*.mof")}

    compiled(inventory)
    assert set(modes().values()) == {0o644}
    plain = FILES["inventory.yaml"].replace("certificate: certificates/", "plain_text: true")
    (tmp_path / "inventory.yaml").write_text(plain, encoding="utf-8")
    compiled(inventory)
    assert (modes()["n1.mof"], modes()["n3.mof"]) == (0o600, 0o644)


def test_validate_asks_for_no_secret_and_compile_tells_of_all_that_are_missing(
    tmp_path: Path, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLEET_SECRET")
    before = contents(tmp_path)
    project = Project.of(inventory)
    assert project.validate(inventory).nodes == 3
    assert len(project.compile(inventory, sealed=False).nodes) == 3
    assert contents(tmp_path) == before
    with pytest.raises(InputError) as caught:
        compiled(inventory)
    assert len(caught.value.problems) == 2
    assert all("env:FLEET_SECRET" in problem for problem in caught.value.problems)


def test_validate_refuses_credentials_nobody_says_how_to_encrypt(tmp_path: Path, inventory: Path) -> None:
    text = FILES["inventory.yaml"].replace("encryption: {certificate: certificates/}\n", "")
    write_files(tmp_path, {"inventory.yaml": text})
    with pytest.raises(InputError) as caught:
        Project.of(inventory).validate(inventory)
    assert len(caught.value.problems) == 2
    assert all("No encryption for credentials" in problem for problem in caught.value.problems)


FIELDS = {
    "roles/base/role.yaml": """\
description: Users.
modules: {PSDscResources: "2.12.0.0"}
configurations: [base]
variables:
  people:
    type: list
    items: mapping
    description: x
    fields:
      name: {type: string, required: true, description: x}
      logon: {type: credential, required: true, description: x}
""",
    "dsc_configs/base.dsc.yaml": """\
resources:
  - name: "{{ item.name }}"
    type: PSDscResources/User
    forEach: "{{ people }}"
    properties: {UserName: "{{ item.name }}", Password: "{{ item.logon }}"}
""",
    "inventory.yaml": FILES["inventory.yaml"].replace(
        "roles: [base]}",
        "roles: [base], variables: {people: [{name: o, logon: {user: o, password: 'env:FLEET_SECRET'}}]}}",
    ),
}


def test_a_credential_in_a_field_is_sealed_like_any_other(
    tmp_path: Path, inventory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {**FILES, **FIELDS})
    compiled(inventory)
    first = contents(tmp_path / "out")
    assert b"-----BEGIN CMS-----" in first["n1.mof"]
    kept = state(tmp_path) + b"".join(first.values())
    assert SECRET.encode() not in kept
    assert SECRET.encode("utf-16-le") not in kept
    node = Project.of(inventory).compile(inventory).nodes[NodeName("n1")]
    assert [each.reveal() for each in node.opened] == [SECRET]
    assert SECRET not in repr(node)
    monkeypatch.setenv("FLEET_SECRET", "another")
    assert made(compiled(inventory)) == {"n1", "n2"}
