"""Variables that say where a secret is, and what is wrong with them.

The rule of the room: a secret that stands there itself is never quoted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import did_you_mean
from provisioner.documents import Mapping, Scalar, Sequence
from provisioner.inventory.schema import is_reference
from provisioner.roles.masking import starred
from provisioner.roles.model import VariableType, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.documents import Tree

SECRETS: Final = frozenset({VariableType.SECRET, VariableType.CREDENTIAL})

_HELP: Final = "Write 'env:NAME' for an environment variable or 'file:PATH' for a file beside the inventory."
_HELP_CREDENTIAL: Final = "Write {user: NAME, password: 'env:NAME'}."
_KEYS: Final = ("user", "password")


def check_secret(what: str, value: Any, tree: Tree | None, where: SourceRange, problems: Diagnostics) -> None:
    """Report a value that is no reference. ``what`` names it at the start of a sentence."""
    if isinstance(value, str) and is_reference(value):
        return
    shown = starred(where, *_hidden(tree, where))
    if isinstance(value, str):
        detail = f"{what} says where a secret is, never the secret itself."
        problems.error("Secret is written in the inventory", detail, shown, _HELP)
    else:
        detail = f"{what} is a reference to a secret, and this is {kind_of(value)}."
        problems.error("Variable has the wrong type", detail, shown, _HELP)


def check_credential(
    what: str, value: Any, tree: Tree | None, where: SourceRange, problems: Diagnostics
) -> None:
    """Report what is wrong with ``{user: NAME, password: REFERENCE}``."""
    hidden = tuple(_hidden(tree, where))
    if not isinstance(value, dict) or not isinstance(tree, Mapping):
        detail = f"{what} is a user with a reference to a password, and this is {kind_of(value)}."
        problems.error("Variable has the wrong type", detail, starred(where, *hidden), _HELP_CREDENTIAL)
        return
    for entry in tree.entries:
        at = starred(entry.key.where, *hidden)
        if entry.name not in _KEYS:
            detail = f"{what} is a credential, and that has no key '{entry.name}'."
            problems.error("Unknown key", detail, at, did_you_mean(entry.name, _KEYS))
    for key in _KEYS:
        if key not in value:
            detail = f"{what} is a credential, and its '{key}' is missing."
            problems.error("Missing key", detail, starred(where, *hidden), _HELP_CREDENTIAL)
    user, password = tree.get("user"), tree.get("password")
    if user is not None and not isinstance(value["user"], str):
        detail = f"The user of a credential is text, and this is {kind_of(value['user'])}."
        problems.error(
            "Variable has the wrong type", detail, starred(user.where, *hidden), "Put it in quotes."
        )
    if password is not None:
        said = f"{what} is a credential, and its password"
        check_secret(said, value["password"], password, password.where, problems)


def _hidden(tree: Tree | None, where: SourceRange) -> Iterator[SourceRange]:
    """Yield what may be a secret: every value but references and the text under ``user``."""
    match tree:
        case None:
            yield where
        case Scalar():
            if not is_reference(tree.text):
                yield tree.where
        case Sequence():
            for item in tree.items:
                yield from _hidden(item, where)
        case Mapping():
            for entry in tree.entries:
                if entry.name != "user" or not isinstance(entry.value, Scalar):
                    yield from _hidden(entry.value, where)
