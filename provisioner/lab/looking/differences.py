"""What differs between two states of a node, path by path. Values in, lines out.

Lists of records are compared by what names a record, so that one more file is one line. Contents of files are
never shown, nor anything called a password, a secret or a hash: a node's disk and its accounts hold such things.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

#: Keys that name a record of a list, the first one that a record has.
_NAMES: Final = ("path", "name", "id", "guid", "key")
_CONTENTS: Final = frozenset({"content", "data", "pending", "current", "previous", "meta"})
#: Keys, or parts of keys, whose values nobody is to see at all.
_SECRETS: Final = re.compile("password|secret|hash|salt", re.IGNORECASE)
_HIDDEN: Final = "(hidden)"
#: When a file was written follows from what was done; that it changed is told by its contents.
_TIMES: Final = frozenset({"written"})
_LONGEST: Final = 160
_OPENED: Final = 2
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that changed. ``before`` and ``after`` are short JSON texts, empty for what is not there."""

    path: str
    before: str
    after: str


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Yield what changed between two JSON values, in the order of ``before``, what is new last."""
    if before == after:
        return
    left, right = _members(before), _members(after)
    if path.count("/") < _OPENED:
        # What is wholly new or gone that far up is a family of things, and each is told by itself.
        left, right = ({} if value is _ABSENT else found for value, found in ((before, left), (after, right)))
    if left is None or right is None:
        yield Difference(path, _shown(path, before), _shown(path, after))
        return
    for name in [*left, *(name for name in right if name not in left)]:
        place = f"{path}/{name}" if path else name
        yield from differences(left.get(name, _ABSENT), right.get(name, _ABSENT), place)


def _members(value: Any) -> Mapping[str, Any] | None:
    """Give the members of a value by name; None when it is compared as a whole."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return None
    if value and all(isinstance(item, list) and item and isinstance(item[0], str) for item in value):
        rows = {item[0]: item[1:] for item in value}
        return rows if len(rows) == len(value) else None
    if not all(isinstance(item, dict) for item in value):
        return None
    named = {_name_of(item): item for item in value}
    return named if "" not in named and len(named) == len(value) else None


def _name_of(record: Mapping[str, Any]) -> str:
    return next((str(record[key]) for key in _NAMES if record.get(key)), "")


def _shown(path: str, value: Any) -> str:
    if value is _ABSENT:
        return ""
    name = path.rpartition("/")[2]
    value = _brief(next((part for part in path.split("/") if _SECRETS.search(part)), name), value)
    if isinstance(value, dict):
        value = {key: part for key, part in value.items() if part != name and key not in _TIMES}
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _brief(key: str, value: Any) -> Any:
    """Give a value without what nobody is to see; what lies in a list has the list's key."""
    if isinstance(value, dict):
        return {name: _brief(key if _SECRETS.search(key) else name, part) for name, part in value.items()}
    if isinstance(value, list):
        return [_brief(key, part) for part in value]
    if _SECRETS.search(key):
        return _HIDDEN if value else value
    return f"{_size(value)} bytes" if key in _CONTENTS and isinstance(value, str) else value


def _size(text: str) -> int:
    try:
        return len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return len(text.encode())
