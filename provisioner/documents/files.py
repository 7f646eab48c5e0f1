"""Text files of the user: read whole, UTF-8 only, never larger than their limit."""

from __future__ import annotations

from pathlib import Path

from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange
from provisioner.documents.reading import ORDINARY, Limits, at_index, parse
from provisioner.documents.tree import Tree


def load(
    path: Path, shown_as: str | None = None, limits: Limits = ORDINARY
) -> tuple[Tree | None, Diagnostics]:
    """Read a YAML file.

    Args:
        path: The file; UTF-8, with or without a byte order mark.
        shown_as: The name printed in messages; the path as given when left out.
        limits: How much the file may hold.

    Returns:
        See ``parse``. A file that cannot be read gives None and one error.
    """
    text, source, problems = read_text(path, shown_as, limits)
    if text is None:
        return None, problems
    return parse(text, source, limits)


def read_text(
    path: Path, shown_as: str | None = None, limits: Limits = ORDINARY
) -> tuple[str | None, SourceFile, Diagnostics]:
    """Read a UTF-8 text file whole; None and one error when that is impossible."""
    shown = shown_as or str(path)
    problems = Diagnostics()
    nothing = SourceFile(shown, "")
    at = SourceRange(nothing, 1, 1, 1, 1)
    try:
        with path.open("rb") as stream:
            raw = stream.read(limits.size_bytes + 1)
    except (OSError, ValueError) as error:
        problems.error("File cannot be read", f"{shown}: {_reason(path, error)}.")
        return None, nothing, problems
    if len(raw) > limits.size_bytes:
        problems.error(
            "File is too large",
            f"{shown} has more than {limits.size_bytes // 1024 // 1024} MiB.",
            at,
            "Split it, or check that this is the file you meant.",
        )
        return None, nothing, problems
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.error("File is not UTF-8", f"{shown} is UTF-16.", at, "Save it as UTF-8.")
        return None, nothing, problems
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        source = SourceFile(shown, raw.decode("utf-8-sig", errors="replace"))
        where = at_index(source, len(error.object[: error.start].decode("utf-8-sig", errors="replace")))
        byte = error.object[error.start]
        detail = f"The byte 0x{byte:02x} is not UTF-8."
        problems.error("File is not UTF-8", detail, where, "Save the file as UTF-8.")
        return None, source, problems
    return text, SourceFile(shown, text), problems


def _reason(path: Path, error: Exception) -> str:
    match error:
        case FileNotFoundError():
            return "there is no such file"
        case IsADirectoryError():
            return "this is a folder, and a file is needed"
        case PermissionError():
            return "the file may not be read by this user"
        case OSError():
            return error.strerror or "it cannot be opened"
        case _:
            return f"{str(path)!r} is not a usable path"
