"""Faults as people write them: in an inventory, in a scenario, on the command line. Problems name their place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from provisioner import documents
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange, did_you_mean
from provisioner.documents.core_schema import resolve
from provisioner.lab import trees
from provisioner.lab.faults.base import Fault, Planned, When
from provisioner.lab.faults.registry import KINDS

_SUMMARY: Final = "Wrong fault"
_WHEN: Final[Mapping[str, trees.Reader]] = {
    "after": trees.record(dict, {"messages": trees.integer, "seconds": trees.number}),
    "for": trees.number,
    "times": trees.integer,
}


def read_fault(tree: documents.Tree, problems: Diagnostics) -> Any:
    """Read one fault to a ``Planned``; a reader like those of ``trees``."""
    if not isinstance(tree, documents.Mapping):
        problems.error(_SUMMARY, "A fault is a mapping with a 'kind'.", tree.where)
        return trees.BAD
    named = tree.get("kind")
    if named is None:
        problems.error(_SUMMARY, "The kind of the fault is missing.", tree.where, "Add 'kind: latency'.")
        return trees.BAD
    word = trees.text(named, problems)
    if word is trees.BAD:
        return word
    kind = KINDS.get(word.casefold())
    if kind is None:
        problems.error(_SUMMARY, f"'{word}' is no kind of fault.", named.where, did_you_mean(word, KINDS))
        return trees.BAD
    return _read_kind(kind, tree, problems)


def _read_kind(kind: type[Fault], tree: documents.Mapping, problems: Diagnostics) -> Any:
    readers: dict[str, trees.Reader] = {"kind": trees.text, **_WHEN, **kind.readers}
    values = trees.fields(tree, readers, problems)
    missing = [name for name in kind.required if tree.get(name) is None]
    for name in missing:
        problems.error(_SUMMARY, f"'{kind.kind}' needs '{name}'.", tree.where, f"Add '{name}: ...'.")
    if missing or len(values) != len(tree.entries):
        return trees.BAD
    values.pop("kind")
    after = values.pop("after", {})
    when = When(
        after.get("messages", 0),
        after.get("seconds", 0.0),
        values.pop("for", None),
        values.pop("times", None),
    )
    wrong = _contradiction(kind, when, values)
    if wrong:
        name, why = wrong
        entry = tree.entry(name)
        problems.error(_SUMMARY, why, entry.key.where if entry else tree.where)
        return trees.BAD
    return Planned(kind(**values), when)


def _contradiction(kind: type[Fault], when: When, values: Mapping[str, Any]) -> tuple[str, str] | None:
    if kind.is_event and when.for_s is not None:
        return "for", f"'{kind.kind}' is over as soon as it has happened; 'for' means nothing here."
    if when.times == 0:
        return "times", "A fault that happens no times is none."
    for name in ("message", "byte", "bytes_per_s"):
        if name in kind.readers and values.get(name) == 0 and isinstance(values[name], int):
            return name, f"'{name}' counts from 1."
    if "message" in values and "byte" in values:
        return "byte", "The connection breaks at a message or at a byte, not at both."
    return None


def read_words(kind: str, words: Sequence[str]) -> tuple[Planned | None, Diagnostics]:
    """Read ``latency seconds=0.2 after.messages=3 for=10`` as given on a command line."""
    text = " ".join([kind, *words])
    source = SourceFile("command line", text)
    problems = Diagnostics()

    def scalar(part: str, start: int) -> documents.Scalar:
        where = SourceRange(source, 1, start + 1, 1, start + max(1, len(part)) + 1)
        return documents.Scalar(resolve(part), part, where)

    def entry(name: str, start: int, value: documents.Tree) -> documents.Entry:
        where = SourceRange(source, 1, start + 1, 1, start + len(name) + 1)
        return documents.Entry(documents.Scalar(name, name, where), value)

    entries = [entry("kind", 0, scalar(kind, 0))]
    inner: list[documents.Entry] = []
    at = len(kind) + 1
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            where = SourceRange(source, 1, at + 1, 1, at + len(word) + 1)
            problems.error(_SUMMARY, f"'{word}' is no parameter.", where, f"Write '{word}=VALUE'.")
        elif name.startswith("after."):
            start = at + len("after.")
            inner.append(entry(name.removeprefix("after."), start, scalar(value, at + len(name) + 1)))
        else:
            entries.append(entry(name, at, scalar(value, at + len(name) + 1)))
        at += len(word) + 1
    whole = SourceRange(source, 1, 1, 1, len(text) + 1)
    if inner:
        entries.append(entry("after", 0, documents.Mapping(tuple(inner), whole)))
    found = read_fault(documents.Mapping(tuple(entries), whole), problems)
    is_good = isinstance(found, Planned) and not problems.has_errors
    return (found if is_good else None), problems


def from_plain(plain: Mapping[str, Any]) -> Planned:
    """Read what ``Planned.to_plain`` gave.

    Raises:
        InputError: It is no fault.
    """
    text = json.dumps(plain, ensure_ascii=False)
    tree, problems = documents.parse(text, SourceFile("request", text))
    found = trees.BAD if tree is None else read_fault(tree, problems)
    problems.raise_errors()
    assert isinstance(found, Planned)
    return found
