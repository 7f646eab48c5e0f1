"""Hold the value of a variable against all that its role says of it: type, choices, form, bounds, fields.

The rule of the room: all that is wrong with a value is told, each part at its own place, up to a number nobody
reads beyond. A secret that stands in the place of a reference is never quoted, whatever the message is about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.documents import Mapping, plain
from provisioner.inventory.masking import mask_addresses
from provisioner.inventory.model import Located
from provisioner.roles.checking import pinned_files
from provisioner.roles.masking import starred
from provisioner.roles.model import VariableType, kind_of
from provisioner.roles.secret_variables import SECRETS, SecretChecks, hidden_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as Many

    from provisioner.diagnostics import SourceRange
    from provisioner.documents import Tree
    from provisioner.roles.model import Variable

Path = tuple[str | int, ...]

#: Problems that are told of one variable of one node.
MOST_TOLD: Final = 20
_NOT_QUOTED: Final = frozenset({VariableType.BOOLEAN, VariableType.INTEGER, VariableType.NUMBER})
_HELP_SECRETS: Final = {
    VariableType.SECRET: "Write 'env:NAME' for an environment variable or 'file:PATH' for a file.",
    VariableType.CREDENTIAL: "Write {user: NAME, password: 'env:NAME'}.",
}


def check_value(variable: Variable, given: Located, of: str, problems: Diagnostics) -> None:
    """Report everything that is wrong with a value; ``of`` names it inside a sentence, without an article."""
    found = Diagnostics()
    check = _Check(variable, given, found)
    check.value(variable, of, given.value, ())
    told = list(found)
    for problem in told[:MOST_TOLD]:
        problems.extend([problem])
    if len(told) > MOST_TOLD:
        problems.error(
            "Variable has more problems",
            f"Of the {of} the first {MOST_TOLD} problems are told, and there are more.",
            check.shown(given.where),
            "Correct these, and ask again.",
        )


def quotable(variable: Variable, given: Located, where: SourceRange) -> SourceRange:
    """Return a position in a value whose line can be quoted: what may be a secret in it is starred out."""
    hidden = tuple(hidden_in(variable, given.tree)) if given.tree is not None else ()
    return starred(where, *hidden) if hidden else where


def filled(variable: Variable, value: Any) -> Any:
    """Return a value without errors, its mappings with all fields: those not given have their defaults."""
    if variable.fields is None or value is None:
        return value
    if variable.items is None:
        return _filled(variable.fields, value)
    if isinstance(value, dict):
        return {name: _filled(variable.fields, part) for name, part in value.items()}
    return [_filled(variable.fields, part) for part in value]


def _filled(fields: Any, value: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, field in fields.items():
        given = value.get(name)
        # The default is whole already; a copy, since values of one node are nobody else's.
        found[name] = filled(field, given) if given is not None else field.default
    return found


class _Check:
    """One value of one variable. Positions are those of its tree, and no line that is quoted says a secret."""

    def __init__(self, variable: Variable, given: Located, problems: Diagnostics) -> None:
        tree = given.tree
        self._given = given
        self._hidden = tuple(hidden_in(variable, tree)) if tree is not None else ()
        self._problems = problems
        self._sources: dict[str, SourceRange] = {}

    def shown(self, where: SourceRange) -> SourceRange:
        """Return a position whose line can be quoted. Masking goes through the whole file, so it is done once."""
        if not self._hidden:
            return where
        path = where.source.path
        if path not in self._sources:
            self._sources[path] = starred(where, *self._hidden)
        masked = self._sources[path].source
        return type(where)(masked, where.line, where.column, where.end_line, where.end_column)

    def value(self, variable: Variable, of: str, value: Any, path: Path) -> None:
        """Check a variable or a field; ``path`` leads to it."""
        kind = variable.type
        where = self._given.origin(*path)
        if kind in SECRETS:
            self._secret(kind, f"The {of}", value, path)
            return
        if pinned_files.is_pinned(kind):
            for fault in pinned_files.faults(kind, f"The {of}", self._given):
                self._error(*fault)
            return
        if not kind.accepts(value):
            self._error(
                "Variable has the wrong type",
                f"The {of} is of type {kind.value}, and this is {kind_of(value)}.",
                where,
                advice(kind, value),
            )
            return
        if variable.items:
            self._items(variable, variable.items, of, value, path)
        elif variable.fields is not None:
            self._fields(variable, of, value, path)
        else:
            self._limits(variable, f"The {of}", value, where)

    def _items(self, variable: Variable, kind: VariableType, of: str, value: Any, path: Path) -> None:
        for label, step, part in _parts(value):
            if len(self._problems) > MOST_TOLD:
                return  # Each costs a look at the whole file, and nobody reads the thousandth.
            where = self._given.origin(*path, step)
            if kind in SECRETS:
                self._secret(kind, f"Item {label} of the {of}", part, (*path, step))
            elif not kind.accepts(part):
                self._error(
                    "Variable has the wrong type",
                    f"The items of the {of} are of type {kind.value}, and item {label} is {kind_of(part)}.",
                    where,
                    advice(kind, part),
                )
            elif variable.fields is not None:
                self._fields(variable, f"item {label} of the {of}", part, (*path, step))
            else:
                self._limits(variable, f"Item {label} of the {of}", part, where)

    def _fields(self, variable: Variable, of: str, value: dict[str, Any], path: Path) -> None:
        assert variable.fields is not None
        where = self._given.origin(*path)
        tree = self._given.part(*path)
        for name in value:
            if name not in variable.fields:
                entry = tree.entry(name) if isinstance(tree, Mapping) else None
                self._error(
                    "Unknown key",
                    f"{_head(of)} has no key '{name}'.",
                    entry.key.where if entry else where,
                    did_you_mean(name, variable.fields),
                )
        for name, field in variable.fields.items():
            given = value.get(name)
            if given is not None:
                self.value(field, f"key '{name}' of {_the(of)}", given, (*path, name))
            elif field.is_required:
                self._error(
                    "Missing key",
                    f"{_head(of)} needs the key '{name}': {field.description}",
                    where,
                    f"Add '{name}' to it.",
                )

    def _limits(self, variable: Variable, what: str, value: Any, where: SourceRange) -> None:
        """Check choices, the form of a text and the bounds of a number."""
        if variable.choices and value not in variable.choices:
            words = [str(choice) for choice in variable.choices]
            self._error(
                "Variable has a value that is not allowed",
                f"{what} is one of: {', '.join(words)}.",
                where,
                did_you_mean(value, words) if isinstance(value, str) else "",
            )
        if variable.pattern and not re.fullmatch(variable.pattern, value):
            self._error(
                "Variable has a value that is not allowed",
                f"{what} has to be {variable.form}, and this is {_seen(value)}.",
                where,
            )
        lowest, highest = variable.minimum, variable.maximum
        if lowest is None and highest is None:
            return
        # What is not a number (.nan) is neither: asked this way round it is refused.
        is_within = (lowest is None or value >= lowest) and (highest is None or value <= highest)
        if not is_within:
            self._error(
                "Variable has a value that is not allowed",
                f"{what} has to be {_range(lowest, highest)}, and this is {value}.",
                where,
            )

    def _secret(self, kind: VariableType, what: str, value: Any, path: Path) -> None:
        where = self._given.origin(*path)
        checks = SecretChecks(self._hidden or (where,), self._problems)
        if kind is VariableType.SECRET:
            checks.secret(what, value, where)
        else:
            checks.credential(what, self._given.part(*path), value, where)

    def _error(self, summary: str, detail: str, where: SourceRange, help: str = "") -> None:
        self._problems.error(summary, detail, self.shown(where), help)


def check_default(variable: Variable, choices: Many[Tree], problems: Diagnostics, word: str) -> None:
    """Hold default and choices of a variable against the rest of it; ``word`` says what it is called."""
    chosen = variable.items or variable.type
    of = (
        f"The items of the {word} '{variable.name}' are"
        if variable.items
        else f"The {word} '{variable.name}' is"
    )
    for choice in choices:
        if not chosen.accepts(plain(choice)):
            problems.error(
                "Choice has the wrong type",
                f"{of} of type {chosen.value}, and this is {kind_of(plain(choice))}.",
                _of_role(chosen, choice),
            )
    default = variable.default_tree
    if default is None:
        return
    if not variable.type.accepts(variable.default):
        problems.error(
            "Default has the wrong type",
            f"The {word} '{variable.name}' is of type {variable.type.value}, and this is "
            f"{kind_of(variable.default)}.",
            _of_role(variable.type, default),
            _HELP_SECRETS.get(variable.type, ""),
        )
    elif variable.choices and not variable.items and variable.default not in variable.choices:
        problems.error(
            "Default is not one of the choices",
            f"The {word} '{variable.name}' can have its choices only, and its default is another value.",
            default.where,
        )
    elif variable.items and (wrong := _wrong_items(variable.items, default)):
        for part in wrong:
            problems.error(
                "Default has the wrong type",
                f"The items of the {word} '{variable.name}' are of type {variable.items.value}, and this is "
                f"{kind_of(plain(part))}.",
                _of_role(variable.items, part),
                _HELP_SECRETS.get(variable.items, ""),
            )
    else:
        given = Located(variable.default, default.where, default)
        check_value(variable, given, f"default of the {word} '{variable.name}'", problems)


def _wrong_items(kind: VariableType, default: Tree) -> list[Tree]:
    if isinstance(default, Mapping):
        parts = [entry.value for entry in default.entries]
    else:
        parts = list(getattr(default, "items", ()))
    return [part for part in parts if not kind.accepts(plain(part))]


def _of_role(kind: VariableType, value: Tree) -> SourceRange:
    """Return the position of a value of a role; a secret that stands there by mistake is not quoted."""
    return starred(value.where) if kind in SECRETS else value.where


def _parts(value: Any) -> Iterator[tuple[str, str | int, Any]]:
    """Yield each part with its name for people and its place in the tree."""
    if isinstance(value, dict):
        yield from ((name, name, part) for name, part in value.items())
    else:
        yield from ((str(index + 1), index, part) for index, part in enumerate(value))


def _the(of: str) -> str:
    return of if of.startswith(("item ", "key ")) else f"the {of}"


def _head(of: str) -> str:
    return of[0].upper() + of[1:] if of.startswith("item ") else f"The {of}"


def _seen(text: str) -> str:
    """Return a text as a message shows it; the whole of it stands in the line above."""
    longest = 60
    shown = mask_addresses(text)
    cut = shown if len(shown) <= longest else f"{shown[:longest]}…"
    # A line break or an invisible letter is what is wrong, so it has to be seen.
    return "'" + "".join(each if each.isprintable() else ascii(each)[1:-1] for each in cut) + "'"


def _range(lowest: float | None, highest: float | None) -> str:
    if lowest is None:
        return f"at most {highest}"
    return f"at least {lowest}" if highest is None else f"from {lowest} to {highest}"


def advice(kind: VariableType, value: Any) -> str:
    """Say how a value of another kind is written so that it is of this one; empty where that is not clear."""
    if kind is VariableType.STRING and isinstance(value, bool | int | float):
        return "Put it in quotes."
    if kind in _NOT_QUOTED and isinstance(value, str):
        return "Write it without quotes." if value.strip() else ""
    if kind is VariableType.LIST and isinstance(value, str):
        return "Put '- ' before each item, on a line of its own."
    if kind is VariableType.MAPPING:
        return "Write {KEY: VALUE}, or KEY: VALUE on lines of their own, further in."
    return ""
