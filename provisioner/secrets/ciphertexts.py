"""Keeps what a secret was encrypted to, so that the same input makes the same document again.

Encryption is random: without this every run would give other bytes, and no document could be compared with an
earlier one. Stored are keyed hashes and ciphertexts, nothing else. Losing the file, or its key, only means that
documents change once.

The rule of the room: safe with several processes at once, each with a store of its own, and after being killed at
any point.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import sqlite3
from typing import TYPE_CHECKING, Final, Self

from provisioner import databases
from provisioner.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from provisioner.secrets.model import Secret

FILE_NAME: Final = "ciphertexts.db"
KEY_NAME: Final = "ciphertexts.key"

_KEY_BYTES: Final = 32
_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS ciphertext (digest BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID"
)
#: Seconds to wait for another process that writes.
_PATIENCE_S: Final = 30.0
#: Whoever has the key and a document could try passwords against the hash, so both are the owner's alone.
_OWNER_ONLY: Final = 0o600


class CiphertextStore:
    """The ciphertexts of one project, in its state folder; the folder is made when it is not there.

    Used by one thread. A child process opens its own: SQLite connections do not survive a fork.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._key = _project_key(folder / KEY_NAME)
            self._connection = self._open()
        except OSError as error:
            raise self._unusable(str(error)) from error

    def digest(self, fingerprint: str, secret: Secret) -> bytes:
        """Return the keyed hash of a secret for a certificate; of use for nothing but comparing."""
        # The fingerprint has a fixed length, so no two pairs run into the same text.
        text = secret.reveal().encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, fingerprint.encode("ascii") + b"\0" + text, hashlib.sha256)

    def get(self, fingerprint: str, secret: Secret, encrypt: Callable[[], str]) -> str:
        """Return what the secret was encrypted to for the certificate, encrypting it when it never was.

        When two processes encrypt the same secret at once, both get what the first one stored.

        Raises:
            StateError: The file cannot be read or written.
        """
        digest = self.digest(fingerprint, secret)
        try:
            known = self._look_up(digest)
            if known is None:
                self._connection.execute(
                    "INSERT OR IGNORE INTO ciphertext VALUES (?, ?)", (digest, encrypt())
                )
                known = self._look_up(digest)
        except sqlite3.Error as error:
            raise self._unusable(str(error)) from error
        if known is None:
            raise self._unusable("what was just written is not there")
        return known

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look_up(self, digest: bytes) -> str | None:
        row = self._connection.execute("SELECT text FROM ciphertext WHERE digest = ?", (digest,)).fetchone()
        return str(row[0]) if row else None

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.OperationalError as error:
            # Locked, not writable, no space: the content is fine, and it is not ours to throw away.
            raise self._unusable(str(error)) from error
        except sqlite3.DatabaseError:
            # Damaged. A cache that cannot be read is worth nothing; a log of changes must not outlive its file.
            for suffix in ("-wal", "-shm", ""):
                self._path.with_name(FILE_NAME + suffix).unlink(missing_ok=True)
        try:
            return self._connect()
        except sqlite3.Error as error:
            raise self._unusable(str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        return databases.connect(self._path, _PATIENCE_S, _prepare)

    def _unusable(self, reason: str) -> StateError:
        error = StateError(f"the ciphertexts in {self._path} cannot be used: {reason}")
        error.help = "See to its rights and to free space, or remove it: secrets are then encrypted anew."
        return error


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute(_SCHEMA)


def _project_key(path: Path) -> bytes:
    """Read the key of the project; make one when there is none, or when it was cut short."""
    key = _read_key(path)
    if key is not None:
        return key
    fresh = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_KEY_BYTES))
        if path.exists():
            # Not a key: what was stored under the lost one stays unfound.
            fresh.replace(path)
        else:
            # Of two processes that come here at once, the first one's key is the key of both.
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    key = _read_key(path)
    if key is None:
        raise OSError(f"{path} is not a key of {_KEY_BYTES} bytes")
    return key


def _read_key(path: Path) -> bytes | None:
    try:
        with path.open("rb") as stream:
            key = stream.read(_KEY_BYTES + 1)
    except FileNotFoundError:
        return None
    return key if len(key) == _KEY_BYTES else None
