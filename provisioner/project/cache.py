"""What was compiled from what: the key of a node's ingredients leads to the digests of its documents.

Documents themselves are not kept here; they lie where they were written, and count only while they are there as
they were written. So a cache that is lost, old or damaged costs time and never changes a result.

The rule of the room: safe with several processes at once and after being killed at any point (one transaction for
each run), and of bounded size. Every entry carries a digest of itself, so a flipped bit is no entry. Secrets are
known here by keyed digests only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from provisioner import databases
from provisioner.project.model import WrittenFile

FILE_NAME: Final = "compiled-1.db"
#: Most entries of each table; those not needed for longest go.
MOST_ENTRIES: Final = 120_000
_PATIENCE_S: Final = 10.0
_TABLES: Final = ("documents", "files", "latest")
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS {} (key TEXT PRIMARY KEY, value TEXT, proof TEXT, day INTEGER) WITHOUT ROWID"
)


class CacheUnusable(Exception):
    """The cache cannot be used. The text says why; compiling goes on without it."""


class DocumentCache:
    """The cache of one project. Open it for a moment: it is not kept while workers run."""

    def __init__(self, folder: Path) -> None:
        """Open the cache in a folder, which is made when it is not there.

        Raises:
            CacheUnusable: it cannot be read or written now.
        """
        self._path = folder / FILE_NAME
        self._today = int(time.time() // 86_400)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                self._connection = self._open()
            except sqlite3.OperationalError:
                raise  # locked or not writable: the content is fine
            except sqlite3.DatabaseError:
                self._discard()
                self._connection = self._open()
        except (OSError, sqlite3.Error) as error:
            raise CacheUnusable(str(error)) from error

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether anything was ever kept there."""
        return (folder / FILE_NAME).exists()

    def entry(self, key: str) -> Mapping[str, Any] | None:
        """Return the entry of a key as plain data; see ``Entry.from_plain``."""
        found = self._get("documents", key)
        return found if isinstance(found, dict) else None

    def latest(self, place: str) -> Mapping[str, str] | None:
        """Return the ingredients a place was last compiled from."""
        found = self._get("latest", place)
        return found if isinstance(found, dict) else None

    def file(self, path: str) -> WrittenFile | None:
        """Return what is known of a file on disk."""
        found = self._get("files", path)
        if not isinstance(found, dict):
            return None
        return WrittenFile(Path(path).name, found["sha256"], tuple(found["stamp"]))

    def remember(
        self,
        entries: Iterable[tuple[str, Mapping[str, Any]]],
        files: Iterable[tuple[str, WrittenFile]],
        latest: Iterable[tuple[str, Mapping[str, str]]],
        needed: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Keep what one run found, all of it or nothing.

        ``needed`` are table and key of what was found there and shall not be forgotten for being old.

        Raises:
            CacheUnusable: it cannot be written now.
        """
        with self._transaction():
            self._put("documents", entries)
            self._put("files", ((path, {"sha256": f.sha256, "stamp": f.stamp}) for path, f in files))
            self._put("latest", latest)
            for table, key in needed:
                self._connection.execute(
                    f"UPDATE {table} SET day = ?1 WHERE key = ?2 AND day <> ?1",  # noqa: S608 - as above
                    (self._today, key),
                )
            for table in _TABLES:
                self._connection.execute(
                    f"DELETE FROM {table} WHERE key IN "  # noqa: S608 - one of three constants
                    f"(SELECT key FROM {table} ORDER BY day DESC LIMIT -1 OFFSET {MOST_ENTRIES})"
                )

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise CacheUnusable(str(error)) from error

    def _put(self, table: str, rows: Iterable[tuple[str, Any]]) -> None:
        texts = ((key, json.dumps(value, ensure_ascii=True, separators=(",", ":"))) for key, value in rows)
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)",  # noqa: S608 - one of three constants
            ((key, text, _proof(key, text), self._today) for key, text in texts),
        )

    def _get(self, table: str, key: str) -> Any:
        try:
            row = self._connection.execute(
                f"SELECT value, proof FROM {table} WHERE key = ?",  # noqa: S608 - one of three constants
                (key,),
            ).fetchone()
        except sqlite3.Error:
            return None  # what cannot be read was not kept
        if row is None or not isinstance(row[0], str) or row[1] != _proof(key, row[0]):
            return None
        return json.loads(row[0])

    def _open(self) -> sqlite3.Connection:
        return databases.connect(self._path, _PATIENCE_S, _prepare)

    def _discard(self) -> None:
        for suffix in ("-wal", "-shm", ""):
            self._path.with_name(FILE_NAME + suffix).unlink(missing_ok=True)


def _prepare(connection: sqlite3.Connection) -> None:
    for table in _TABLES:
        connection.execute(_SCHEMA.format(table))
        connection.execute(f"SELECT key, value, proof, day FROM {table} LIMIT 1")  # noqa: S608 - as above


def _proof(key: str, text: str) -> str:
    return hashlib.sha256(f"{key}\0{text}".encode()).hexdigest()[:32]
