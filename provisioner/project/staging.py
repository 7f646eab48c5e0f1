"""A folder beside the documents of the last run, where new ones wait until all of them are made.

Nobody finds half a document, nor the documents of half a fleet: files move to their place by renaming, after the
last one is written. Only a kill during the renaming itself leaves some new and some old; the next run then finds
out which.

A killed run leaves its folder behind. Its lock is gone with it, so the next run knows and clears it away.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from errno import EISDIR
from pathlib import Path
from types import TracebackType
from typing import Self

from provisioner.configuration.model import Artifact
from provisioner.project.model import WrittenFile

_PREFIX = ".provision-"
_LOCK = "lock"
_OWNER_ONLY = 0o600


class Staging:
    """New documents on their way into an output folder. Leaving the context throws away what was not published."""

    def __init__(self, output: Path) -> None:
        """Make the folder, and the output folder when there is none."""
        self._output = output
        self._made = [folder for folder in (output, *output.parents) if not folder.exists()]
        output.mkdir(parents=True, exist_ok=True)
        _clear_left_behind(output)
        self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=output))
        self._lock = _locked(self._folder / _LOCK, create=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
        for folder in self._made:
            with contextlib.suppress(OSError):  # documents lie in it
                folder.rmdir()

    def write(self, artifact: Artifact, *, is_private: bool = False) -> WrittenFile:
        """Write one document; any process may. A private one is for its owner's eyes only."""
        path = self._folder / artifact.file_name
        if is_private:
            path.touch(mode=_OWNER_ONLY)
        path.write_bytes(artifact.content)
        return WrittenFile(artifact.file_name, artifact.sha256, stamp_of(path.stat()))

    def publish(self, names: Iterable[str]) -> None:
        """Put documents in their place, all that can be checked before the first one moves.

        Raises:
            OSError: One of the places is a folder; nothing was replaced.
        """
        moves = [(self._folder / name, self._output / name) for name in names]
        for _, path in moves:
            if path.is_dir():
                raise IsADirectoryError(EISDIR, f"{path.name} is a folder", str(path))
        for new, path in moves:
            new.replace(path)


def stamp_of(status: os.stat_result) -> tuple[int, int, int]:
    """Return what a file has for as long as nobody writes it: size, time of modification, inode."""
    return status.st_size, status.st_mtime_ns, status.st_ino


def is_there(path: Path, sha256: str, known: WrittenFile | None) -> WrittenFile | None:
    """Return the file when it holds what was written; its content is read when its stamp says nothing."""
    try:
        stamp = stamp_of(path.stat())
        if known is not None and known.stamp == stamp:
            return known if known.sha256 == sha256 else None
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
    return WrittenFile(path.name, sha256, stamp) if found == sha256 else None


def _locked(path: Path, *, create: bool) -> int | None:
    """Return the open lock file; None when another process holds it, or it is not there."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _clear_left_behind(output: Path) -> None:
    for folder in output.glob(f"{_PREFIX}*"):
        held = _locked(folder / _LOCK, create=False)
        if held is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(held)
