"""Variables that say where a secret is, and what is wrong with them.

The rule of the room: a secret that stands there itself is never quoted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence
from provisioner.inventory.schema import is_reference
from provisioner.roles.masking import starred
from provisioner.roles.model import VariableType, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.documents import Tree
    from provisioner.roles.model import Variable

SECRETS: Final = frozenset({VariableType.SECRET, VariableType.CREDENTIAL})

_HELP: Final = "Write 'env:NAME' for an environment variable or 'file:PATH' for a file beside the inventory."
_HELP_CREDENTIAL: Final = "Write {user: NAME, password: 'env:NAME'}."
_KEYS: Final = ("user", "password")
#: A role may put the name into a file, where it must not become another line or another secret.
_SEEN_IN_USER: Final = "a line break, an invisible character or '@{secret:'"


class SecretChecks:
    """Checks one variable, or a part of one; nothing in the lines that are quoted says a secret.

    ``hidden`` are the places that may hold one; see ``hidden_in``.
    """

    def __init__(self, hidden: tuple[SourceRange, ...], problems: Diagnostics) -> None:
        self._hidden = hidden
        self._problems = problems

    def secret(self, what: str, value: Any, where: SourceRange) -> None:
        """Report a value that is no reference. ``what`` names it at the start of a sentence."""
        if isinstance(value, str) and is_reference(value):
            return
        if isinstance(value, str):
            detail = f"{what} says where a secret is, never the secret itself."
            self._error("Secret is written in the inventory", detail, where, _HELP, where)
        else:
            detail = f"{what} is a reference to a secret, and this is {kind_of(value)}."
            self._error("Variable has the wrong type", detail, where, _HELP, where)

    def credential(self, what: str, tree: Tree | None, value: Any, where: SourceRange) -> None:
        """Report what is wrong with ``{user: NAME, password: REFERENCE}``."""
        if not isinstance(value, dict) or not isinstance(tree, Mapping):
            detail = f"{what} is a user with a reference to a password, and this is {kind_of(value)}."
            self._error("Variable has the wrong type", detail, where, _HELP_CREDENTIAL, where)
            return
        for entry in tree.entries:
            if entry.name not in _KEYS:
                detail = f"{what} is a credential, and that has no key '{entry.name}'."
                self._error("Unknown key", detail, entry.key.where, did_you_mean(entry.name, _KEYS))
        for key in _KEYS:
            if key not in value:
                detail = f"{what} is a credential, and its '{key}' is missing."
                self._error("Missing key", detail, where, _HELP_CREDENTIAL)
        user, password = tree.get("user"), tree.get("password")
        if user is not None and not isinstance(value["user"], str):
            detail = f"The user of a credential is text, and this is {kind_of(value['user'])}."
            self._error("Variable has the wrong type", detail, user.where, "Put it in quotes.")
        elif user is not None and not value["user"].replace("@{secret:", "\n").isprintable():
            detail = (
                f"The user of {what[0].lower()}{what[1:]} holds {_SEEN_IN_USER}, which no account's name has."
            )
            self._error(
                "User is no name of an account", detail, user.where, "Write it in one line, as it is."
            )
        if password is not None:
            self.secret(f"{what} is a credential, and its password", value["password"], password.where)

    def _error(
        self, summary: str, detail: str, where: SourceRange, help: str, *also_hidden: SourceRange
    ) -> None:
        hidden = (*also_hidden, *self._hidden)
        self._problems.error(summary, detail, starred(where, *hidden) if hidden else where, help)


def holds_secrets(variable: Variable) -> bool:
    """Whether a value of the variable refers to a secret anywhere in it."""
    if variable.type in SECRETS or variable.items in SECRETS:
        return True
    return variable.fields is not None and any(map(holds_secrets, variable.fields.values()))


def is_secret_at(variable: Variable, path: Iterable[str | int]) -> bool:
    """Whether a secret belongs under a path of keys and indexes; an unknown key may be that of one, misspelt."""
    below = iter(path)
    part: Variable | None = variable
    while part is not None:
        variable = part
        if variable.items is not None and next(below, None) is None:
            return False
        kind = variable.items or variable.type
        if kind in SECRETS:
            return kind is VariableType.SECRET or next(below, None) != "user"
        step = next(below, None)
        if step is None or variable.fields is None:
            return False
        part = variable.fields.get(str(step))
    return holds_secrets(variable)


def references_in(variable: Variable, value: Any) -> Iterator[str]:
    """Yield what stands in a value where references to secrets belong; what has another form is passed over."""
    match value:
        case str() if variable.type is VariableType.SECRET:
            yield value
        case {"password": str() as password} if variable.type is VariableType.CREDENTIAL:
            yield password
        case dict() | list() if variable.items is not None:
            for part in value.values() if isinstance(value, dict) else value:
                yield from references_in(replace(variable, type=variable.items, items=None), part)
        case dict():
            for name, field in (variable.fields or {}).items():
                yield from references_in(field, value.get(name))


def hidden_in(variable: Variable, tree: Tree) -> Iterator[SourceRange]:
    """Yield the places of a value that may hold a secret in the place of a reference; none without secrets."""
    if variable.type in SECRETS or variable.items in SECRETS:
        yield from _suspects(tree)
    elif not holds_secrets(variable):
        return
    elif isinstance(tree, Scalar):
        yield from _suspects(tree)
    elif variable.items is None:
        yield from _in_fields(variable, tree)
    else:
        parts = tree.items if isinstance(tree, Sequence) else [entry.value for entry in tree.entries]
        for part in parts:
            yield from _in_fields(variable, part)


def _in_fields(variable: Variable, tree: Tree) -> Iterator[SourceRange]:
    """Yield the suspects of one mapping: a key nobody knows may be that of a secret, misspelt."""
    if not isinstance(tree, Mapping):
        yield from _suspects(tree)
        return
    for entry in tree.entries:
        field = (variable.fields or {}).get(entry.name)
        yield from _suspects(entry.value) if field is None else hidden_in(field, entry.value)


def _suspects(tree: Tree, depth: int = 0) -> Iterator[SourceRange]:
    """Yield what may be a secret: every value but references and the text under ``user``, and keys further in."""
    match tree:
        case Scalar():
            if tree.value is not None and not is_reference(tree.text):
                yield tree.where
        case Sequence():
            for item in tree.items:
                yield from _suspects(item, depth + 1)
        case Mapping():
            for entry in tree.entries:
                if depth and entry.name not in _KEYS:
                    yield entry.key.where
                if entry.name != "user" or not isinstance(entry.value, Scalar):
                    yield from _suspects(entry.value, depth + 1)
