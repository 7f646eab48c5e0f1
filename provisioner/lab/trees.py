"""Typed reading of a document tree: small readers that are put together to the shape of a setting.

A reader takes a tree and gives a value, or reports what is wrong at its position and gives ``BAD``. A list or
mapping with one bad part still reports the problems of all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from provisioner import documents
from provisioner.diagnostics import Diagnostics, did_you_mean

#: Given instead of a value that could not be read.
BAD: Final = object()

Reader = Callable[[documents.Tree, Diagnostics], Any]
_SUMMARY = "Wrong lab setting"


def text(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read a text; numbers keep the spelling they have in the file."""
    if isinstance(tree, documents.Scalar) and tree.value is not None and not isinstance(tree.value, bool):
        return tree.text
    return _wrong("a text", tree, problems)


def full_path(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read a path that begins with a drive."""
    path = text(tree, problems)
    if path is not BAD and not re.match(r"[A-Za-z]:[\\/]", path):
        return _wrong("a path that begins with a drive of the node", tree, problems)
    return path


def integer(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read a whole number that is not negative."""
    if isinstance(tree, documents.Scalar) and type(tree.value) is int and tree.value >= 0:
        return tree.value
    return _wrong("a whole number, 0 or more", tree, problems)


def number(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read a number that is not negative."""
    if isinstance(tree, documents.Scalar) and type(tree.value) in {int, float}:
        value = float(str(tree.value))
        if 0 <= value < float("inf"):
            return value
    return _wrong("a number, 0 or more", tree, problems)


def signed(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read a number."""
    if isinstance(tree, documents.Scalar) and type(tree.value) in {int, float}:
        value = float(str(tree.value))
        if abs(value) < float("inf"):
            return value
    return _wrong("a number", tree, problems)


def boolean(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read true or false."""
    if isinstance(tree, documents.Scalar) and isinstance(tree.value, bool):
        return tree.value
    return _wrong("true or false", tree, problems)


def one_of(words: Iterable[str]) -> Reader:
    """Make a reader of one of these words, without regard to case; gives the word as spelled here."""
    known = {word.casefold(): word for word in words}

    def read(tree: documents.Tree, problems: Diagnostics) -> Any:
        value = text(tree, problems)
        if value is BAD or value.casefold() in known:
            return value if value is BAD else known[value.casefold()]
        problems.error(
            _SUMMARY,
            f"'{value}' is none of {', '.join(known.values())}.",
            tree.where,
            did_you_mean(value, known.values()),
        )
        return BAD

    return read


def list_of(item: Reader, *, or_one: bool = False) -> Reader:
    """Make a reader of a list; with ``or_one`` a single item may stand alone. Gives a tuple."""

    def read(tree: documents.Tree, problems: Diagnostics) -> Any:
        if isinstance(tree, documents.Sequence):
            values = [item(part, problems) for part in tree.items]
            return BAD if BAD in values else tuple(values)
        if or_one:
            value = item(tree, problems)
            return BAD if value is BAD else (value,)
        return _wrong("a list", tree, problems)

    return read


def map_of(item: Reader) -> Reader:
    """Make a reader of a mapping with free keys."""

    def read(tree: documents.Tree, problems: Diagnostics) -> Any:
        if not isinstance(tree, documents.Mapping):
            return _wrong("a mapping", tree, problems)
        values = {name: item(part, problems) for name, part in tree.items()}
        return BAD if BAD in values.values() else values

    return read


def record(make: Callable[..., Any], readers: Mapping[str, Reader], required: Iterable[str] = ()) -> Reader:
    """Make a reader of a mapping with known keys, whose values become keyword arguments of ``make``."""

    def read(tree: documents.Tree, problems: Diagnostics) -> Any:
        if not isinstance(tree, documents.Mapping):
            return _wrong("a mapping", tree, problems)
        values = fields(tree, readers, problems)
        missing = [name for name in required if tree.get(name) is None]
        for name in missing:
            problems.error(_SUMMARY, f"The key '{name}' is missing here.", tree.where, f"Add '{name}: ...'.")
        is_whole = not missing and len(values) == len(tree.entries)
        return make(**values) if is_whole else BAD

    return read


def fields(tree: documents.Mapping, readers: Mapping[str, Reader], problems: Diagnostics) -> dict[str, Any]:
    """Read a mapping with known keys; unknown and bad ones are reported and left out."""
    values: dict[str, Any] = {}
    for entry in tree.entries:
        reader = readers.get(entry.name)
        if reader is None:
            problems.error(
                "Unknown lab setting",
                f"'{entry.name}' is not a setting here.",
                entry.key.where,
                did_you_mean(entry.name, readers),
            )
            continue
        value = reader(entry.value, problems)
        if value is not BAD:
            values[entry.name] = value
    return values


def _wrong(wanted: str, tree: documents.Tree, problems: Diagnostics) -> Any:
    problems.error(_SUMMARY, f"This has to be {wanted}; {_kind(tree)} stands here.", tree.where)
    return BAD


def _kind(tree: documents.Tree) -> str:
    match tree:
        case documents.Sequence():
            return "a list"
        case documents.Mapping():
            return "a mapping"
        case documents.Scalar(value=None):
            return "nothing"
        case documents.Scalar(value=bool()):
            return f"the boolean {tree.text}"
        case documents.Scalar(value=int() | float()):
            return f"the number {tree.text}"
        case _:
            return f"the text '{tree.text}'"
