from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from provisioner.addresses import SecretRef
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange
from provisioner.secrets.ciphertexts import CiphertextStore
from provisioner.secrets.sealing import NodeSealer, certificate_path, open_sealer, within_reach
from tests.unit.secrets.certificate_files import NOW, Made, make_certificate

CANARY = "canary-7c1e/sealing ü"
SOURCE = SourceFile("inventory.yaml", "line one\nline two\nline three\n")


def at(line: int) -> SourceRange:
    return SourceRange(SOURCE, line, 1, line, 5)


SETTING, NODE, CREDENTIAL = at(1), at(2), at(3)


@dataclass(frozen=True)
class Setting:
    certificate: str = ""
    is_plain_text: bool = False
    where: SourceRange = SETTING


@dataclass(frozen=True)
class NodeOf:
    encryption: Setting | None
    name: str = "hv01"
    where: SourceRange = NODE


@dataclass(frozen=True)
class Given:
    password: SecretRef | None = None
    secrets: Mapping[str, SecretRef] | None = None
    user: str = "secrets"
    where: SourceRange = CREDENTIAL


@pytest.fixture(scope="module")
def made() -> Made:
    return make_certificate()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CiphertextStore]:
    with CiphertextStore(tmp_path / ".provisioner") as opened:
        yield opened


@pytest.fixture
def sealer(tmp_path: Path, made: Made, store: CiphertextStore, monkeypatch: pytest.MonkeyPatch) -> NodeSealer:
    monkeypatch.setenv("CANARY", CANARY)
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "hv01.cer").write_bytes(made.encoded)
    opened, problems = open_sealer(NodeOf(Setting("certificates/")), tmp_path, store, NOW)
    assert opened is not None
    assert not len(problems)
    return opened


def decrypted(sealed: str, made: Made, folder: Path) -> str:
    (folder / "key.pem").write_bytes(made.key_pem)
    (folder / "cert.pem").write_bytes(made.pem)
    body = base64.b64decode("".join(sealed.split("\n")[1:-1]))
    command = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER"]
    command += ["-inkey", str(folder / "key.pem"), "-recip", str(folder / "cert.pem")]
    return subprocess.run(command, input=body, capture_output=True, check=True).stdout.decode()


def the_only(problems: Diagnostics) -> str:
    (problem,) = problems
    shown = problem.render()
    assert CANARY not in shown
    return shown


def ref(text: str) -> SecretRef:
    found = SecretRef.parse(text)
    assert found
    return found


def test_a_password_is_encrypted_to_the_node(sealer: NodeSealer, made: Made, tmp_path: Path) -> None:
    sealed = sealer.seal(Given(ref("env:CANARY|url")))
    assert decrypted(sealed, made, tmp_path) == "canary-7c1e%2Fsealing%20%C3%BC"
    assert sealer.is_encrypted
    assert sealer.thumbprint
    assert not len(sealer.problems)


def test_named_secrets_become_lines_in_the_order_of_the_author(
    sealer: NodeSealer, made: Made, tmp_path: Path
) -> None:
    sealed = sealer.seal(Given(secrets={"z.b": ref("env:CANARY"), "a-b_1": ref("env:CANARY|oslo|url")}))
    lines = decrypted(sealed, made, tmp_path).split("\n")
    assert [line.partition("=")[0] for line in lines] == ["z.b", "a-b_1"]
    assert [base64.b64decode(line.partition("=")[2]).decode() for line in lines] == [
        CANARY,
        "canary-7c1e%2Fsealing%20%C3%BC",
    ]


def test_the_same_credential_is_sealed_to_the_same_text(sealer: NodeSealer) -> None:
    assert sealer.seal(Given(ref("env:CANARY"))) == sealer.seal(Given(ref("env:CANARY"), user="another"))
    assert sealer.digest(Given(ref("env:CANARY"))) == sealer.digest(Given(ref("env:CANARY")))
    assert sealer.digest(Given(ref("env:CANARY"))) != sealer.digest(Given(ref("env:CANARY|url")))


def test_a_problem_is_told_once_however_often_a_credential_is_used(sealer: NodeSealer) -> None:
    given = Given(ref("env:NOT_THERE"))
    sealer.seal(given)
    assert sealer.digest(given) == b""
    assert sealer.seal(given) == "<secret>"
    assert len(sealer.problems) == 1


def test_who_masks_secrets_gets_every_text_that_was_in_hand(sealer: NodeSealer) -> None:
    sealer.seal(Given(secrets={"a": ref("env:CANARY|url")}))
    texts = {text for secret in sealer.opened for text in secret.reveal_stages()}
    assert {CANARY, "canary-7c1e%2Fsealing%20%C3%BC"} < texts


def test_a_secret_that_cannot_be_resolved_is_told_at_the_credential(sealer: NodeSealer) -> None:
    sealer.seal(Given(ref("env:NOT_THERE")))
    shown = the_only(sealer.problems)
    assert shown.startswith("inventory.yaml:3:1: error: Secret cannot be resolved")
    assert "The password for node 'hv01' is env:NOT_THERE: the environment variable is not set." in shown


def test_all_secrets_that_cannot_be_resolved_are_told_at_once(sealer: NodeSealer) -> None:
    sealer.seal(Given(secrets={"a": ref("env:NO_A"), "b": ref("env:CANARY"), "c": ref("env:NO_C|urk")}))
    assert len(sealer.problems) == 2


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n"])
def test_a_line_break_in_a_named_secret_is_refused(
    sealer: NodeSealer, monkeypatch: pytest.MonkeyPatch, break_: str
) -> None:
    monkeypatch.setenv("CANARY", f"{CANARY}{break_}[DEFAULT]")
    sealer.seal(Given(secrets={"a": ref("env:CANARY")}))
    assert "The secret 'a' for node 'hv01' has a line break" in the_only(sealer.problems)


def test_a_password_of_its_own_may_have_line_breaks(
    sealer: NodeSealer, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", "one\r\ntwo\n")
    assert decrypted(sealer.seal(Given(ref("env:CANARY"))), made, tmp_path) == "one\r\ntwo\n"


def test_what_is_encrypted_already_is_refused(sealer: NodeSealer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "-----BEGIN CMS-----\nMII\n-----END CMS-----")
    sealer.seal(Given(ref("env:CANARY")))
    assert "begins with -----BEGIN CMS-----" in the_only(sealer.problems)


def test_bytes_that_are_no_text_are_refused(sealer: NodeSealer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "a\udcffb")
    sealer.seal(Given(ref("env:CANARY")))
    assert "env:CANARY, holds bytes that are no UTF-8 text" in the_only(sealer.problems)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a}", "ä"])
def test_a_name_that_no_placeholder_could_have_is_refused(sealer: NodeSealer, name: str) -> None:
    sealer.seal(Given(secrets={name: ref("env:CANARY")}))
    assert "letters, digits" in the_only(sealer.problems)


# --- how a node's documents are sealed ------------------------------------------------------------------------


def refusal(node: NodeOf, base: Path, store: CiphertextStore) -> str:
    opened, problems = open_sealer(node, base, store, NOW)
    assert opened is None
    assert problems.has_errors
    return the_only(problems)


def test_nothing_said_about_encryption_is_an_error_with_what_to_write(
    tmp_path: Path, store: CiphertextStore
) -> None:
    shown = refusal(NodeOf(None), tmp_path, store)
    assert shown.startswith("inventory.yaml:2:1: error: No encryption for credentials")
    assert "encryption: {certificate: certificates/}" in shown
    assert "provision certificate fetch" in shown


def test_plain_text_that_is_not_allowed_is_refused(tmp_path: Path, store: CiphertextStore) -> None:
    assert "plain_text: true" in refusal(NodeOf(Setting()), tmp_path, store)


def test_plain_text_is_handed_out_when_allowed_and_warned_of(
    tmp_path: Path, store: CiphertextStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    opened, problems = open_sealer(NodeOf(Setting(is_plain_text=True)), tmp_path, store, NOW)
    assert opened is not None
    assert opened.seal(Given(ref("env:CANARY"))) == CANARY
    assert (opened.is_encrypted, opened.thumbprint) == (False, "")
    assert the_only(problems).startswith(
        "inventory.yaml:1:1: warning: Passwords stand in documents as they are"
    )


@pytest.mark.parametrize("password", ["a\r\nb", "a\rb", "a\x01b", "a\x1b[2Jb"])
def test_what_a_document_does_not_carry_in_clear_is_not_put_there(
    password: str, tmp_path: Path, store: CiphertextStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", password)
    opened, _ = open_sealer(NodeOf(Setting(is_plain_text=True)), tmp_path, store, NOW)
    assert opened is not None
    assert password not in opened.seal(Given(ref("env:CANARY")))
    assert "carriage return or another control character" in the_only(opened.problems)


def test_a_certificate_wins_over_plain_text(tmp_path: Path, store: CiphertextStore) -> None:
    node = NodeOf(Setting("certificates", is_plain_text=True))
    assert "there is no certificate" in refusal(node, tmp_path, store)


def test_a_missing_certificate_is_named_with_how_to_get_it(tmp_path: Path, store: CiphertextStore) -> None:
    shown = refusal(NodeOf(Setting("certificates/")), tmp_path, store)
    assert f"there is no certificate {tmp_path}/certificates/hv01.cer" in shown
    assert "provision certificate fetch INVENTORY --limit hv01" in shown
    assert "New-SelfSignedCertificate" in shown


@pytest.mark.parametrize(
    ("content", "clause"),
    [
        (b"nothing", "neither PEM nor DER"),
        (make_certificate(ends=NOW - timedelta(days=1)).encoded, "it expired on 2026-11-20"),
        (make_certificate(names=(), purposes=()).encoded, ", and its key usage names neither"),
    ],
    ids=["no certificate", "expired", "without usage"],
)
def test_a_certificate_that_is_not_fit_is_an_error(
    tmp_path: Path, store: CiphertextStore, content: bytes, clause: str
) -> None:
    (tmp_path / "node.cer").write_bytes(content)
    shown = refusal(NodeOf(Setting("node.cer")), tmp_path, store)
    assert clause in shown
    assert "New-SelfSignedCertificate" in shown


def test_a_certificate_that_ends_soon_is_warned_of(tmp_path: Path, store: CiphertextStore) -> None:
    (tmp_path / "node.cer").write_bytes(make_certificate(ends=NOW + timedelta(days=3)).encoded)
    opened, problems = open_sealer(NodeOf(Setting("node.cer")), tmp_path, store, NOW)
    assert opened is not None
    assert "warning: Certificate is doubtful" in the_only(problems)


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("certificates/", "certificates/hv01.cer"),
        ("certificates", "certificates/hv01.cer"),
        ("pki/node.pem", "pki/node.pem"),
        ("pki/node.CER", "pki/node.CER"),
        ("folder.pem/", "folder.pem/hv01.cer"),
        ("existing.pem", "existing.pem/hv01.cer"),
    ],
)
def test_where_the_certificate_of_a_node_lies(tmp_path: Path, setting: str, path: str) -> None:
    (tmp_path / "existing.pem").mkdir()
    assert certificate_path("hv01", setting, tmp_path) == tmp_path / path


def test_what_can_be_resolved_is_found_for_whoever_masks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    given = [Given(ref("env:CANARY|url")), Given(secrets={"a": ref("env:NOT_THERE"), "b": ref("env:CANARY")})]
    found = within_reach(given, tmp_path)
    assert [secret.reveal() for secret in found] == ["canary-7c1e%2Fsealing%20%C3%BC", CANARY]


def test_a_tilde_is_the_home_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert certificate_path("hv01", "~/pki/", Path("elsewhere")) == tmp_path / "pki" / "hv01.cer"
