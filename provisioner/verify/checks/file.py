"""Ask for a file or folder.

Each question is one command of its own, asked only when a check wants it: the item, the text, the hash.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.errors import NodeError
from provisioner.transport.base import SWITCH, Pipeline, Record
from provisioner.verify.question import AskedNode, errors_of, only_row, output_of, table_of, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Error ids by which ``Get-Item`` says that nothing is there, as they begin.
_NOT_THERE = ("PathNotFound,", "DriveNotFound,")


class File:
    """A file or folder by its full path. Questions about one that is missing raise NodeError, except exists."""

    def __init__(self, asked: AskedNode, path: str) -> None:
        self._asked = asked
        self.path = path

    def __repr__(self) -> str:
        return f"<file {self.path} on {self._asked.node}>"

    @property
    def exists(self) -> bool:
        """Whether something has this path, hidden things included.

        Raises:
            CommandError: the node could not say, for example because access was denied.
        """
        return bool(self._items)

    @property
    def is_file(self) -> bool:
        """Whether it is there and a file."""
        return self.exists and not _is_container(self._item)

    @property
    def is_directory(self) -> bool:
        """Whether it is there and a folder."""
        return self.exists and _is_container(self._item)

    @property
    def size(self) -> int:
        """Return its size in bytes."""
        if _is_container(self._item):
            raise NodeError(self._asked.node, f"{self.path} is a folder, not a file")
        return int(self._item["Length"])

    @property
    def content_string(self) -> str:
        """Return the whole text, read as UTF-8 (a byte order mark is dropped), line ends as they are."""
        pipeline = Pipeline.of("Get-Content", LiteralPath=self.path, Raw=SWITCH, Encoding="UTF8")
        parts = output_of(self._asked, pipeline)
        return "".join(text_of(part) for part in parts)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes, 64 lower-case hexadecimal digits."""
        pipeline = Pipeline.of("Get-FileHash", LiteralPath=self.path, Algorithm="SHA256")
        rows = table_of(self._asked, pipeline)
        return text_of(only_row(self._asked.node, rows, f"hash of {self.path}")["Hash"]).lower()

    def contains(self, pattern: str) -> bool:
        """Whether a regular expression of Python is found in the text; ^ and $ mean lines."""
        return re.search(pattern, self.content_string.replace("\r\n", "\n"), re.MULTILINE) is not None

    @property
    def _items(self) -> Sequence[Record]:
        pipeline = Pipeline.of("Get-Item", LiteralPath=self.path, Force=SWITCH)
        result = self._asked.ask(pipeline)
        errors = errors_of(result)
        if errors and all(error.error_id.startswith(_NOT_THERE) for error in errors):
            return ()
        return table_of(self._asked, pipeline)

    @property
    def _item(self) -> Record:
        return only_row(self._asked.node, self._items, f"file or folder at {self.path}")


def _is_container(item: Record) -> bool:
    # PowerShell adds PSIsContainer; the type name says the same where that property was not sent.
    added = item.get("PSIsContainer")
    return any(name.endswith("DirectoryInfo") for name in item.type_names) if added is None else bool(added)
