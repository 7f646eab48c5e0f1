from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from provisioner.errors import StateError
from provisioner.secrets.ciphertexts import FILE_NAME, KEY_NAME, CiphertextStore
from provisioner.secrets.model import Secret

CANARY = "canary-7c1e-ciphertexts"
ONE, OTHER = "1" * 64, "2" * 64


def stored(folder: Path, fingerprint: str, text: str, answer: str) -> str:
    with CiphertextStore(folder) as store:
        return store.get(fingerprint, Secret(text), lambda: answer)


def test_the_same_secret_and_certificate_keep_their_ciphertext_over_runs(tmp_path: Path) -> None:
    assert stored(tmp_path / "state", ONE, CANARY, "first") == "first"
    assert stored(tmp_path / "state", ONE, CANARY, "second") == "first"


def test_another_secret_or_certificate_has_one_of_its_own(tmp_path: Path) -> None:
    stored(tmp_path, ONE, CANARY, "first")
    assert stored(tmp_path, OTHER, CANARY, "second") == "second"
    assert stored(tmp_path, ONE, CANARY + "!", "third") == "third"


def test_nothing_in_the_folder_is_clear_or_open_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with CiphertextStore(folder) as store:
        store.get(ONE, Secret(CANARY), lambda: "first")
        files = sorted(folder.iterdir())
        assert {FILE_NAME, KEY_NAME} <= {path.name for path in files}
        for path in files:
            assert path.stat().st_mode & 0o777 == 0o600, path
            content = path.read_bytes()
            assert CANARY.encode() not in content
            assert CANARY.encode("utf-16-le") not in content
    assert folder.stat().st_mode & 0o777 == 0o700


def test_hashes_of_two_projects_cannot_be_compared(tmp_path: Path) -> None:
    with CiphertextStore(tmp_path / "a") as a, CiphertextStore(tmp_path / "b") as b:
        assert a.digest(ONE, Secret(CANARY)) != b.digest(ONE, Secret(CANARY))


@pytest.mark.parametrize("damage", ["file", "key", "short key", "not a database", "another schema"])
def test_what_is_lost_or_damaged_is_only_encrypted_anew(tmp_path: Path, damage: str) -> None:
    stored(tmp_path, ONE, CANARY, "first")
    match damage:
        case "file":
            (tmp_path / FILE_NAME).unlink()
        case "key":
            (tmp_path / KEY_NAME).unlink()
        case "short key":
            (tmp_path / KEY_NAME).write_bytes(b"short")
        case "not a database":
            (tmp_path / FILE_NAME).write_bytes(b"no database at all, and long enough to be one" * 100)
        case _:
            (tmp_path / FILE_NAME).write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20)
    assert stored(tmp_path, ONE, CANARY, "second") == "second"
    assert stored(tmp_path, ONE, CANARY, "third") == "second"
    assert {path.name for path in tmp_path.iterdir()} == {FILE_NAME, KEY_NAME}


def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    with pytest.raises(StateError) as caught:
        CiphertextStore(tmp_path / "state")
    assert str(tmp_path / "state") in str(caught.value)
    assert caught.value.help


def test_a_locked_file_is_an_error_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioner.secrets.ciphertexts._PATIENCE_S", 0.1)
    stored(tmp_path, ONE, CANARY, "first")
    holder = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    with CiphertextStore(tmp_path) as store:
        holder.execute("BEGIN IMMEDIATE")
        assert store.get(ONE, Secret(CANARY), lambda: "second") == "first", "reading goes on"
        with pytest.raises(StateError):
            store.get(OTHER, Secret(CANARY), lambda: "second")
        holder.execute("ROLLBACK")
    holder.close()
    assert stored(tmp_path, ONE, CANARY, "third") == "first"


def _encrypt_many(folder: Path, numbers: range, found: Path) -> None:
    with CiphertextStore(folder) as store:
        mine = [_encrypt_one(store, number) for number in numbers]
    found.write_text("\n".join(mine), encoding="utf-8")


def _encrypt_one(store: CiphertextStore, number: int) -> str:
    return store.get(ONE, Secret(f"{CANARY} {number}"), lambda: f"{number} by {os.getpid()}")


def test_processes_at_once_agree_on_every_ciphertext(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    folder, files = tmp_path / "state", [tmp_path / str(number) for number in range(3)]
    workers = [context.Process(target=_encrypt_many, args=(folder, range(300), file)) for file in files]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert len({file.read_text("utf-8") for file in files}) == 1


def test_what_was_written_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    folder = tmp_path / "state"
    worker = context.Process(target=_encrypt_many, args=(folder, range(100_000), tmp_path / "found"))
    worker.start()
    deadline = time.monotonic() + 30
    while _count(folder) < 50:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    kept = _count(folder)
    assert kept >= 50
    assert stored(folder, ONE, f"{CANARY} 0", "anew") == f"0 by {worker.pid}"
    assert _count(folder) == kept


def _count(folder: Path) -> int:
    if not (folder / FILE_NAME).exists():
        return 0
    try:
        with sqlite3.connect(folder / FILE_NAME) as connection:
            return int(connection.execute("SELECT count(*) FROM ciphertext").fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        connection.close()
