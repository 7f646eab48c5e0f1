"""Files of SQLite that several processes make and use at once."""

from __future__ import annotations

import multiprocessing
import sqlite3
from pathlib import Path

import pytest

from provisioner import databases


def failing(times: int, code: int) -> tuple[list[int], object]:
    calls: list[int] = []

    def prepare(connection: sqlite3.Connection) -> None:
        calls.append(1)
        if len(calls) <= times:
            error = sqlite3.OperationalError("database is locked")
            error.sqlite_errorcode = code
            raise error
        connection.execute("CREATE TABLE IF NOT EXISTS t (a)")

    return calls, prepare


def test_a_file_that_is_busy_for_a_moment_is_opened_all_the_same(tmp_path: Path) -> None:
    calls, prepare = failing(3, sqlite3.SQLITE_BUSY_RECOVERY)
    databases.connect(tmp_path / "a.db", 10, prepare).close()  # type: ignore[arg-type]
    assert len(calls) == 4
    assert (tmp_path / "a.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("times", "code"), [(1, sqlite3.SQLITE_READONLY), (10_000, sqlite3.SQLITE_BUSY)])
def test_what_waiting_does_not_help_is_told(tmp_path: Path, times: int, code: int) -> None:
    _, prepare = failing(times, code)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        databases.connect(tmp_path / "a.db", 0.1, prepare)  # type: ignore[arg-type]


def test_a_damaged_file_is_told_from_a_busy_one(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        databases.connect(tmp_path / "a.db", 10, lambda _: None)
    assert not isinstance(caught.value, sqlite3.OperationalError)


def _make(folder: Path, rounds: int, start: object) -> None:
    for number in range(rounds):
        start.wait(60)  # type: ignore[attr-defined]
        connection = databases.connect(
            folder / f"{number}.db", 20, lambda made: made.execute("CREATE TABLE IF NOT EXISTS t (a)").close()
        )
        connection.execute("INSERT INTO t VALUES (1)")
        connection.close()


def test_processes_that_make_a_file_at_once_all_get_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    makers = [context.Process(target=_make, args=(tmp_path, 60, start)) for _ in range(3)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(100)
        assert maker.exitcode == 0
    for path in tmp_path.glob("*.db"):
        connection = sqlite3.connect(path)
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (3,)
        connection.close()
