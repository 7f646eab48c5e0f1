"""Read the fields of a YAML mapping: unknown keys, wrong kinds and missing ones become diagnostics.

Every method returns something usable or None; the problem is recorded already, so callers read on and report
everything at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.documents import Tree


class Fields:
    """One mapping being read. ``what`` names it in messages ("a role", "a resource")."""

    def __init__(self, mapping: Mapping, what: str, problems: Diagnostics) -> None:
        self.where = mapping.where
        self._mapping = mapping
        self._what = what
        self._problems = problems

    @classmethod
    def of(cls, tree: Tree | None, what: str, problems: Diagnostics) -> Fields | None:
        """Read a tree as a mapping; None and an error when it is something else."""
        if isinstance(tree, Mapping):
            return cls(tree, what, problems)
        if tree is not None:
            problems.error("Mapping expected", f"{what.capitalize()} is a mapping of keys.", tree.where)
        return None

    def only(self, known: Iterable[str], tolerated: Iterable[str] = ()) -> None:
        """Refuse keys that are neither known nor tolerated."""
        words = tuple(known)
        for entry in self._mapping.entries:
            if entry.name not in words and entry.name not in tolerated:
                self._problems.error(
                    "Unknown key",
                    f"{self._what.capitalize()} has no key '{entry.name}'.",
                    entry.key.where,
                    did_you_mean(entry.name, words),
                )

    def key_where(self, name: str) -> SourceRange:
        """Position of a key, or of the whole mapping when the key is absent."""
        entry = self._mapping.entry(name)
        return entry.key.where if entry else self.where

    def tree(self, name: str) -> Tree | None:
        """Return a value as it is; None when the key is absent or empty."""
        found = self._mapping.get(name)
        return None if isinstance(found, Scalar) and found.value is None else found

    def scalar(self, name: str) -> Scalar | None:
        """Return a single value."""
        found = self.tree(name)
        if found is None or isinstance(found, Scalar):
            return found
        self._wrong(name, "one value", found.where)
        return None

    def text(self, name: str) -> Scalar | None:
        """Return a value that is text. Its ``value`` is a str."""
        found = self.scalar(name)
        if found is None or isinstance(found.value, str):
            return found
        self._wrong(name, "text", found.where, "Put it in quotes.")
        return None

    def required_text(self, name: str) -> Scalar | None:
        """Return a text that must be there and not be empty."""
        found = self.text(name)
        if found is not None and found.text.strip():
            return found
        if found is not None or self.tree(name) is None:
            self._problems.error(
                "Missing key", f"{self._what.capitalize()} needs the key '{name}'.", self.key_where(name)
            )
        return None

    def flag(self, name: str) -> bool:
        """Return a boolean; false when it is absent."""
        found = self.scalar(name)
        if found is None or isinstance(found.value, bool):
            return bool(found and found.value)
        self._wrong(name, "true or false", found.where)
        return False

    def items(self, name: str) -> tuple[Tree, ...]:
        """Return the items of a list; empty when it is absent."""
        found = self.tree(name)
        if found is None or isinstance(found, Sequence):
            return found.items if found else ()
        self._wrong(name, "a list", found.where, "Put '- ' before each item.")
        return ()

    def texts(self, name: str) -> tuple[Scalar, ...]:
        """Return the items of a list of texts."""
        kept = []
        for item in self.items(name):
            if isinstance(item, Scalar) and isinstance(item.value, str):
                kept.append(item)
            else:
                self._wrong(name, "a list of texts", item.where)
        return tuple(kept)

    def mapping(self, name: str) -> Mapping | None:
        """Return a value that is a mapping."""
        found = self.tree(name)
        if found is None or isinstance(found, Mapping):
            return found
        self._wrong(name, "a mapping of keys", found.where)
        return None

    def _wrong(self, name: str, wanted: str, where: SourceRange, advice: str = "") -> None:
        self._problems.error("Wrong kind of value", f"'{name}' is {wanted}.", where, advice)
