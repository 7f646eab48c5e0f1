"""Open a SQLite file that several processes may make, and use, at the same time.

The file is its owner's alone, and changes go to a log of their own: readers never wait for a writer.
"""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_OWNER_ONLY: Final = 0o600
_PAUSE_S: Final = 0.02
#: The part of an error code of SQLite that says what kind it is; the rest says how it came about.
_PRIMARY_CODE: Final = 0xFF


def connect(
    path: Path, patience_s: float, prepare: Callable[[sqlite3.Connection], None]
) -> sqlite3.Connection:
    """Open a file, which is made when it is not there, in autocommit mode.

    Args:
        path: The file. Its folder must be there.
        patience_s: How long to wait for another process that writes, now and later.
        prepare: Makes the tables, if they are not there.

    Raises:
        OSError: The file can be neither opened nor made.
        sqlite3.Error: It is damaged, or stayed locked.
    """
    # SQLite would create it with the umask; its own side files take over the rights of this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY))
    until = time.monotonic() + patience_s
    while True:
        connection = sqlite3.connect(path, isolation_level=None, timeout=patience_s)
        try:
            # A kill loses nothing that was written; a power cut may lose the last entries.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            prepare(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            # Of two that make a file at once, one is told at once that it is locked, whatever the timeout says.
            is_busy = error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > until:
                raise
        except sqlite3.Error:
            connection.close()
            raise
        else:
            return connection
        time.sleep(_PAUSE_S)
