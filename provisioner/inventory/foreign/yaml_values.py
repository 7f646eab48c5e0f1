"""YAML as Ansible reads it: version 1.1, with merge keys and the tags ``!vault`` and ``!unsafe``.

Our own reader takes none of these, so tags are blanked and merge keys renamed before it reads the text; no
column moves. What plain scalars mean is decided here, from their text, by the rules of YAML 1.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from provisioner import documents
from provisioner.documents import Entry, Mapping, Scalar, Sequence, Tree
from provisioner.inventory.foreign.model import Sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provisioner.diagnostics import Diagnostics, SourceFile

#: What every text that ansible-vault wrote begins with.
VAULT_MARK: Final = "$ANSIBLE_VAULT;"

_TAG: Final = re.compile(r"!(?:vault|vault-encrypted|unsafe)(?=[\s,\]}]|$)")
_MERGE: Final = re.compile(r"<<(?=\s*:(?:\s|$))")
#: Stands for '<<', which our reader refuses as a key; private use, so nobody writes it.
_MERGE_KEY: Final = "\ue000\ue000"
_MOST_MERGED: Final = 10_000

#: YAML 1.1 types, as PyYAML resolves them.
_BOOLEANS: Final = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
_CASES: Final = ("lower", "title", "upper")
_BINARY: Final = re.compile(r"[-+]?0b[0-1_]+")
_OCTAL: Final = re.compile(r"[-+]?0[0-7_]+")
_DECIMAL: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_HEX: Final = re.compile(r"[-+]?0x[0-9a-fA-F_]+")
_SIXTIES: Final = re.compile(r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+")
_FLOAT: Final = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)"
)
_SPECIAL: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LONGEST_NUMBER: Final = 400


def read_tree(text: str, source: SourceFile, problems: Diagnostics) -> Tree | None:
    """Read a text; None when it cannot be read or has errors, which go to ``problems``."""
    tree, found = documents.parse(text, source)
    prepared = _prepared(text, [problem.where for problem in found if problem.where])
    if prepared != text:
        tree, found = documents.parse(prepared, source)
    # Numbers as keys are usual there and become text; warnings are about YAML 1.2.
    errors = [each for each in found if each.severity.value == "error" and each.summary != "Key is not text"]
    problems.extend(errors)
    return None if errors else tree


def _prepared(text: str, places: list[Any]) -> str:
    """Return the text with the tags and merge keys at these places made harmless."""
    lines = text.splitlines(keepends=True)
    for where in places:
        if not 0 < where.line <= len(lines):
            continue
        line, at = lines[where.line - 1], where.column - 1
        tag = _TAG.match(line, at)
        if tag:
            lines[where.line - 1] = line[:at] + " " * len(tag[0]) + line[tag.end() :]
        elif _MERGE.match(line, at):
            lines[where.line - 1] = line[:at] + _MERGE_KEY + line[at + 2 :]
    return "".join(lines)


def entries(mapping: Mapping) -> dict[str, Entry]:
    """Return the keys of a mapping with those it merges in; its own win, then the first of several merged."""
    own = {entry.name: entry for entry in mapping.entries if entry.name != _MERGE_KEY}
    merged: dict[str, Entry] = {}
    pending = [mapping.get(_MERGE_KEY)]
    steps = 0
    while pending and steps < _MOST_MERGED:
        steps += 1
        match pending.pop(0):
            case Sequence() as several:
                pending = [*several.items, *pending]
            case Mapping() as other:
                for entry in other.entries:
                    if entry.name != _MERGE_KEY:
                        merged.setdefault(entry.name, entry)
                pending.insert(0, other.get(_MERGE_KEY))
            case _:
                pass
    return {name: entry for name, entry in merged.items() if name not in own} | own


def value_of(tree: Tree) -> Any:
    """Return the plain value of a tree by the rules of YAML 1.1; what is encrypted is ``Sealed.VAULT``."""
    match tree:
        case Scalar():
            if tree.text.lstrip().startswith(VAULT_MARK):
                return Sealed.VAULT
            return resolved(tree.text) if tree.is_plain else tree.text
        case Sequence():
            return [value_of(item) for item in tree.items]
        case Mapping():
            return {name: value_of(entry.value) for name, entry in entries(tree).items()}


def resolved(text: str) -> Any:
    """Return what a plain scalar means in YAML 1.1. Dates stay text."""
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    folded = text.casefold()
    if folded in _BOOLEANS and text in _spellings(folded):
        return _BOOLEANS[folded]
    if len(text) > _LONGEST_NUMBER:
        return text
    number = text.replace("_", "")
    if _SPECIAL.fullmatch(text):
        return float(number.replace(".", ""))
    try:
        return _number(text, number)
    except ValueError:  # '0_' or '0b_': digits are missing
        return text


def _number(text: str, number: str) -> Any:
    if _BINARY.fullmatch(text):
        return int(number, 2)
    if _HEX.fullmatch(text):
        return int(number, 16)
    if _OCTAL.fullmatch(text):
        return int(number, 8)
    if _DECIMAL.fullmatch(text):
        return int(number)
    if _SIXTIES.fullmatch(text):
        total = 0
        for part in number.lstrip("+-").split(":"):
            total = total * 60 + int(part)
        return -total if number.startswith("-") else total
    return float(number) if _FLOAT.fullmatch(text) else text


def _spellings(word: str) -> Iterator[str]:
    return (getattr(word, case)() for case in _CASES)
