"""The text of a MOF file: its encoding, its positions, and what may be shown of it.

The rule of the room: whatever is printed of a document comes from ``shown``, where passwords are masked, because
a document compiled elsewhere may hold them in clear.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange

if TYPE_CHECKING:
    from collections.abc import Iterator

#: More than three times what an LCM takes, and little enough to read in seconds.
LARGEST_BYTES = 32 * 1024 * 1024

_TARGET = re.compile(r"^@TargetNode='([^'\n]*)'", re.MULTILINE)
#: The comment Windows writes at the top is far shorter.
_LONGEST_HEADER = 4096
#: A property of that name up to its end; what stands in quotes may contain anything, and may lack its end.
_PASSWORD = re.compile(
    r'(?P<name>(?:password|passphrase|secret|registrationkey)\w{0,60}+[^=;"{}]{0,60}+=)'
    r'(?P<value>(?:"(?:[^"\\]++|\\.)*+(?:"|\Z|\\\Z)|[^";]++)*+)',
    re.IGNORECASE | re.DOTALL,
)
_VISIBLE = re.compile(r"[^\s\"]")
#: Everything ``str.splitlines`` takes for the end of a line, but LF: an excerpt shows the line an editor shows.
_ODD_BREAKS = str.maketrans(dict.fromkeys("\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))


class MofText:
    """A decoded document. ``shown`` has the same length as ``text``, so offsets fit both.

    Lines end with LF; the CR before it, or both of CR CR LF, belong to the line.
    """

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.shown = _PASSWORD.sub(_masked, text.translate(_ODD_BREAKS))
        self.source = SourceFile(path, self.shown)
        self._starts = [0, *_after_breaks(text)]

    def range(self, start: int, end: int) -> SourceRange:
        """Return the stretch between two offsets."""
        line, column = self._place(start)
        end_line, end_column = self._place(max(start, end))
        return SourceRange(self.source, line, column, end_line, end_column)

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def target_node(self) -> str:
        """Return the node named in the comment Windows writes at the top; empty without one."""
        found = _TARGET.search(self.text, 0, _LONGEST_HEADER) if self.text.startswith("/*") else None
        return found[1] if found else ""


def decode(data: bytes, path: str, problems: Diagnostics) -> MofText | None:
    """Decode a document: UTF-16 by its byte order mark, else UTF-8 with or without one.

    None when the bytes are neither, or too many; the problem is recorded.
    """
    if len(data) > LARGEST_BYTES:
        problems.error(
            "Document too large",
            f"{path} has more than {LARGEST_BYTES // 1024 // 1024} MiB, and an LCM takes 10 MiB at most.",
        )
        return None
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        readable = MofText(data[: error.start].decode(encoding, errors="replace"), path)
        end = len(readable.text)
        problems.error(
            "Document is not text",
            f"Byte {error.start + 1} does not fit the encoding {'UTF-16' if encoding == 'utf-16' else 'UTF-8'}.",
            readable.range(end, end),
            "Windows writes UTF-16 with a byte order mark; take the file as it was compiled.",
        )
        return None
    if "\0" in text:
        found = MofText(text[: text.index("\0") + 1], path)
        offset = len(found.text) - 1
        problems.error(
            "Document is not text",
            "There is a zero character, so the file is binary, or UTF-16 without its byte order mark.",
            found.range(offset, offset + 1),
            "Take the file as it was compiled, or save it as UTF-8.",
        )
        return None
    return MofText(text, path)


def _after_breaks(text: str) -> Iterator[int]:
    return (found.end() for found in re.finditer("\n", text))


def _masked(found: re.Match[str]) -> str:
    return found["name"] + _VISIBLE.sub("*", found["value"])
