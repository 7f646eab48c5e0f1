"""Files a verb makes, all of them or none: a full disk leaves nobody with half a project."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path


def write_files(files: Mapping[Path, bytes], private: Collection[Path] = ()) -> None:
    """Write files, over those of the same name; the ``private`` ones can be read by nobody else.

    Raises:
        OSError: One of them cannot be written, and it says which; none was replaced.
    """
    places = {path: _target(path) for path in files}
    waiting = {path: place.with_name(f".{place.name}.{os.getpid()}") for path, place in places.items()}
    made = [folder for place in places.values() for folder in place.parents if not folder.exists()]
    at = Path()
    try:
        for at, content in files.items():
            is_private = at in private
            waiting[at].parent.mkdir(parents=True, exist_ok=True, mode=0o700 if is_private else 0o777)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(waiting[at], flags, 0o600 if is_private else 0o666), "wb") as file:
                file.write(content)
        for at, new in waiting.items():
            new.replace(places[at])
    except OSError as error:
        _clear(waiting.values(), made)
        # A disk that is full does not say which file it has no room for.
        raise OSError(error.errno, error.strerror, str(at)) from error


def _target(path: Path) -> Path:
    """Follow a link: what it leads to is replaced, not the link."""
    return path.resolve() if path.is_symlink() else path


def _clear(waiting: Collection[Path], made: list[Path]) -> None:
    for new in waiting:
        with suppress(OSError):
            new.unlink(missing_ok=True)
    for folder in sorted(set(made), key=lambda folder: -len(folder.parts)):
        with suppress(OSError):  # never made, or something lies in it
            folder.rmdir()
