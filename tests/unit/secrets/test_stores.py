from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.addresses import SecretRef
from provisioner.errors import SecretError
from provisioner.secrets.stores import MAX_SIZE_BYTES, resolve

CANARY = "canary-7c1e"


def refused(ref: SecretRef, base: Path) -> SecretError:
    with pytest.raises(SecretError) as caught:
        resolve(ref, base)
    assert caught.value.help
    assert CANARY not in str(caught.value) + caught.value.help + repr(caught.value.__context__)
    return caught.value


def test_an_environment_variable_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAB_PASSWORD", CANARY)
    assert resolve(SecretRef("env", "LAB_PASSWORD"), tmp_path).reveal() == CANARY


def test_a_variable_that_is_not_set_is_named_with_what_to_do(tmp_path: Path) -> None:
    error = refused(SecretRef("env", "NO_SUCH_VARIABLE"), tmp_path)
    assert str(error) == "secret env:NO_SUCH_VARIABLE: the environment variable is not set"
    assert "export NO_SUCH_VARIABLE=" in error.help


def test_an_empty_variable_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAB_PASSWORD", "")
    assert "is empty" in str(refused(SecretRef("env", "LAB_PASSWORD"), tmp_path))


@pytest.mark.parametrize(
    ("raw", "secret"),
    [
        (b"pw", "pw"),
        (b"pw\n", "pw"),
        (b"pw\r\n", "pw"),
        (b"pw\n\n", "pw\n"),
        (b" pw \n", " pw "),
        (b"\xef\xbb\xbfpw\n", "pw"),
        ("pässwörd\n".encode(), "pässwörd"),
    ],
)
def test_a_file_is_read_without_its_last_line_end(tmp_path: Path, raw: bytes, secret: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/pw").write_bytes(raw)
    assert resolve(SecretRef("file", "sub/pw"), tmp_path).reveal() == secret
    assert resolve(SecretRef("file", str(tmp_path / "sub/pw")), Path("/elsewhere")).reveal() == secret


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (CANARY.encode() + b"\xff", "is not UTF-8"),
        (CANARY.encode() * MAX_SIZE_BYTES, "has more than 64 KiB"),
    ],
)
def test_a_file_without_a_usable_secret_is_refused(tmp_path: Path, raw: bytes, reason: str) -> None:
    (tmp_path / "pw").write_bytes(raw)
    assert reason in str(refused(SecretRef("file", "pw"), tmp_path))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("missing", "there is no file"),
        (".", "is a folder"),
        ("a\0b", "cannot be opened"),
        ("x" * 5000, "cannot"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, key: str, reason: str) -> None:
    assert reason in str(refused(SecretRef("file", key), tmp_path))


def test_a_file_without_read_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert "may not be read by this user" in str(refused(SecretRef("file", "pw"), tmp_path))


def test_an_unknown_store_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    error = refused(SecretRef("vault", "x"), tmp_path)
    assert "there is no store 'vault'" in str(error)
    assert error.help == "Known stores are env: and file:."


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_a_file_every_user_may_read_is_warned_about(tmp_path: Path, mode: int, *, warned: bool) -> None:
    path = tmp_path / "pw"
    path.write_text(CANARY)
    path.chmod(mode)
    warnings: list[str] = []
    resolve(SecretRef("file", "pw"), tmp_path, warnings.append)
    assert bool(warnings) is warned
    assert CANARY not in "".join(warnings)
