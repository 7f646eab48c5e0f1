"""The journal in one SQLite file, its lock in a file beside it.

Events that a resumed run decides by are on the disk before `append` returns; the others wait for the next of
these and cost no flush of their own. Used by one thread.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from provisioner import databases
from provisioner.addresses import NodeName
from provisioner.errors import LockHeld, SchemaTooNew, StateError
from provisioner.events import NodeDone, from_plain, to_plain
from provisioner.state.base import APPLY, RunRecord, after, must_be_durable, newest_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from provisioner.events import Recorded

#: Each entry lifts the file by one version; never change one that was released.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE run (
        number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, inventory TEXT NOT NULL, operation TEXT NOT NULL,
        started TEXT NOT NULL, finished TEXT NOT NULL, interrupted INTEGER NOT NULL
    );
    CREATE TABLE event (
        run_id TEXT NOT NULL, sequence INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL,
        PRIMARY KEY (run_id, sequence)
    ) WITHOUT ROWID;
    """,
    # What nodes had before this version is in no event of theirs, so the table begins empty.
    """
    CREATE TABLE node_roles (
        inventory TEXT NOT NULL, node TEXT NOT NULL, roles TEXT NOT NULL, PRIMARY KEY (inventory, node)
    ) WITHOUT ROWID;
    """,
)

_PATIENCE_S = 10.0
_RUNS = "SELECT run_id, inventory, operation, started, finished, interrupted FROM run "


class SqliteStateStore:
    """Keeps the journal in ``path``; the folder is made when it is not there. Only the owner may read it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = False
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._connection = databases.connect(path, _PATIENCE_S, _survive_power_cuts)
            self._migrate()
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise self._unusable(error) from error
        except SchemaTooNew:
            self.close()
            raise

    def append(self, recorded: Recorded) -> None:
        """Add an event; see the protocol."""
        data = json.dumps(to_plain(recorded), ensure_ascii=False, separators=(",", ":"))
        row = (recorded.run_id, recorded.sequence, type(recorded.event).__name__, data)
        try:
            if not self._waiting:
                self._execute("BEGIN IMMEDIATE")
                self._waiting = True
            self._execute("INSERT INTO event VALUES (?, ?, ?, ?)", row)
            self._note_run(recorded)
            if isinstance(recorded.event, NodeDone):
                self._note_roles(recorded.run_id, recorded.event)
            if must_be_durable(recorded.event):
                self._flush()
        except sqlite3.IntegrityError as error:
            raise StateError(
                f"the journal has an event {recorded.sequence} of run {recorded.run_id} already"
            ) from error
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def events(self, run_id: str) -> tuple[Recorded, ...]:
        """Return the events of a run in order."""
        rows = self._read("SELECT data FROM event WHERE run_id = ? ORDER BY sequence", (run_id,))
        try:
            return tuple(from_plain(json.loads(data)) for (data,) in rows)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unusable(error) from error

    def runs(self) -> tuple[RunRecord, ...]:
        """Return all runs, the newest first."""
        rows = self._read(_RUNS + "ORDER BY number DESC")
        return tuple(_run(row) for row in rows)

    def unfinished(self, inventory: str) -> str | None:
        """Return the id of the run to resume."""
        return newest_unfinished(self.runs(), inventory)

    def roles(self, inventory: str) -> Mapping[NodeName, tuple[str, ...]]:
        """Return the roles each node had when it was last done."""
        rows = self._read("SELECT node, roles FROM node_roles WHERE inventory = ?", (inventory,))
        try:
            return {NodeName(node): tuple(json.loads(roles)) for node, roles in rows}
        except (TypeError, ValueError) as error:
            raise self._unusable(error) from error

    @contextmanager
    def lock(self, holder: str, since: str) -> Iterator[None]:
        """Hold the right to write. The kernel frees the lock of a process that is gone."""
        path = self._path.with_name(self._path.name + ".lock")
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise LockHeld(*_holder(handle)) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, json.dumps({"holder": holder, "since": since}).encode(), 0)
            yield
        finally:
            os.close(handle)  # the file stays: removing it would let two processes lock two files

    def close(self) -> None:
        """Write what is left and end."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            # After a full disk SQLite has taken everything back that was waiting.
            if self._waiting and connection.in_transaction:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unusable(error) from error
        finally:
            self._waiting = False
            connection.close()

    def _migrate(self) -> None:
        (version,) = self._execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise SchemaTooNew(
                f"{self._path} was written by a newer provisioner: it has schema {version}, and this one knows"
                f" {len(MIGRATIONS)}"
            )
        if version == len(MIGRATIONS):
            return
        self._execute("BEGIN IMMEDIATE")
        # Another process may have been faster while we waited for the write lock.
        (version,) = self._execute("PRAGMA user_version").fetchone()
        for statements in MIGRATIONS[version:]:
            for statement in filter(str.strip, statements.split(";")):
                self._execute(statement)
        self._execute(f"PRAGMA user_version={len(MIGRATIONS)}")
        self._execute("COMMIT")

    def _note_run(self, recorded: Recorded) -> None:
        before = self._execute(_RUNS + "WHERE run_id = ?", (recorded.run_id,)).fetchone()
        run = after(_run(before) if before else None, recorded)
        if run is None or (before and run == _run(before)):
            return
        self._execute(
            "INSERT INTO run (run_id, inventory, operation, started, finished, interrupted)"
            " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (run_id) DO UPDATE SET"
            " finished = excluded.finished, interrupted = excluded.interrupted",
            (run.run_id, run.inventory, run.operation, run.started, run.finished, int(run.interrupted)),
        )

    def _note_roles(self, run_id: str, event: NodeDone) -> None:
        self._execute(
            "INSERT OR REPLACE INTO node_roles (inventory, node, roles)"
            " SELECT inventory, ?, ? FROM run WHERE run_id = ? AND operation = ?",
            (event.node, json.dumps(event.roles), run_id, APPLY),
        )

    def _flush(self) -> None:
        if self._waiting:
            self._execute("COMMIT")
            self._waiting = False

    def _read(self, query: str, values: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
        try:
            return self._execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _execute(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the journal is closed")
        return self._connection.execute(statement, values)

    def _unusable(self, error: Exception) -> StateError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = StateError(f"the journal {self._path} cannot be used: {reason}")
        is_full = getattr(error, "sqlite_errorname", "") == "SQLITE_FULL" or (
            isinstance(error, OSError) and error.errno == errno.ENOSPC
        )
        problem.help = (
            "Make room on the disk and run the same command again; the nodes go on with what they have begun."
            if is_full
            else "Make it readable and writable, or move it away; the next run makes a new one."
        )
        return problem


def _survive_power_cuts(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")


def _run(row: tuple[object, ...]) -> RunRecord:
    run_id, inventory, operation, started, finished, interrupted = row
    return RunRecord(
        str(run_id), str(inventory), str(operation), str(started), str(finished), bool(interrupted)
    )


def _holder(handle: int) -> tuple[str, str]:
    """Read who holds the lock; it may be about to write that."""
    try:
        data = json.loads(os.pread(handle, 4096, 0))
        return str(data["holder"]), str(data["since"])
    except (KeyError, TypeError, ValueError):
        return "a process that just began", "now"
