"""Read YAML files of a project so that no message can print a password that stands in one by mistake.

The rule of the room: columns never move, so every mask is as long as what it hides. What is masked is the text
that messages quote; values stay as they are written.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from provisioner import documents
from provisioner.diagnostics import SourceRange
from provisioner.documents import Mapping, Scalar, Sequence
from provisioner.inventory.masking import mask_lines, mask_places
from provisioner.inventory.schema import is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provisioner.diagnostics import Diagnostics
    from provisioner.documents import Tree

_PASSWORD_KEYS: Final = ("password", "passwd", "passphrase", "pwd", "secret", "token")
#: How near a key has to come to one of these: ``pasword`` does, ``PasswordNeverExpires`` does not.
_NEAR: Final = 0.8


def load(path: Path, shown_as: str) -> tuple[Tree | None, Diagnostics]:
    """Read a YAML file like ``documents.load``; what may be a password is starred out in all messages."""
    text, source, problems = documents.read_text(path, shown_as)
    if text is None:
        return None, problems
    tree, problems = documents.parse(text, source)
    if tree is None:
        return documents.parse(text, mask_lines(source))
    suspects = list(_suspects(tree))
    if not suspects:
        return tree, problems
    return documents.parse(text, mask_places(source, suspects))


def starred(where: SourceRange, *hidden: SourceRange) -> SourceRange:
    """Return a position whose line is quoted with stars in place of ``hidden``; of itself when none is named."""
    source = mask_places(
        where.source, [each for each in hidden or (where,) if each.source.path == where.source.path]
    )
    return SourceRange(source, where.line, where.column, where.end_line, where.end_column)


def _suspects(tree: Tree) -> Iterator[SourceRange]:
    """Yield where a text stands under a key that asks for a password and is none of the ways to refer to one."""
    pending: list[Tree] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Sequence):
            pending.extend(node.items)
        elif isinstance(node, Mapping):
            for entry in node.entries:
                pending.append(entry.value)
                if _asks_for_password(entry.name):
                    is_named = entry.name.casefold().startswith("secret")
                    texts = _texts(entry.value, is_named=is_named)
                    yield from (each.where for each in texts if not _is_harmless(each))


def _texts(tree: Tree, *, is_named: bool) -> Iterator[Scalar]:
    """Yield single values, those of a list, and those under any name where the names are the author's."""
    if isinstance(tree, Scalar):
        yield tree
    elif isinstance(tree, Sequence):
        for item in tree.items:
            yield from _texts(item, is_named=is_named)
    elif is_named:
        for entry in tree.entries:
            yield from _texts(entry.value, is_named=True)


@lru_cache(maxsize=4096)
def _asks_for_password(key: str) -> bool:
    word = key.casefold()
    return "credential" in word or bool(difflib.get_close_matches(word, _PASSWORD_KEYS, n=1, cutoff=_NEAR))


def _is_harmless(value: Scalar) -> bool:
    """Whether it says nothing: no text, a reference, or an expression, which names a variable."""
    text = value.text.strip()
    is_expression = text.startswith("{{") and text.endswith("}}") and not {"'", '"'} & set(text)
    return (
        not isinstance(value.value, str | int)
        or isinstance(value.value, bool)
        or is_reference(text)
        or is_expression
    )
