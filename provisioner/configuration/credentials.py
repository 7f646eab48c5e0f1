"""Credentials as an author writes them: who in clear, the secret as a reference to where it is kept.

The rule of the room: whatever stands where a reference should stand may be the secret itself, so no message
repeats it and no quoted line shows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from provisioner.addresses import SecretRef
from provisioner.configuration.limits import WrongValue
from provisioner.configuration.model import Credential
from provisioner.configuration.values import speakable
from provisioner.diagnostics import did_you_mean
from provisioner.inventory.schema import is_reference
from provisioner.roles.masking import starred
from provisioner.roles.model import Reference, Value, kind_of
from provisioner.secrets.encodings import ENCODINGS

if TYPE_CHECKING:
    from provisioner.diagnostics import Diagnostics, SourceRange

#: User name of the credential that carries named secrets. It says what it is to whoever reads the document.
CARRIER = "secrets"
_KEYS = ("user", "password")
_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
#: Everything that starts like a place for a secret, so that one without an end, or with a bad name, is found too.
_PLACEHOLDER = re.compile(r"@\{secret:([^}\r\n]*)(\}?)")
_HELP_FORM = "Write {user: NAME, password: 'env:NAME'}."
_HELP_REFERENCE = (
    "Write 'env:NAME' for an environment variable or 'file:PATH' for a file, and keep the secret there."
)


def entries_of(value: Value) -> tuple[tuple[Reference, Value], ...] | None:
    """Return keys and values of a mapping; None when it is none.

    A mapping that came out of an expression has one position for everything in it.
    """
    if value.entries:
        return value.entries
    if not isinstance(value.data, dict):
        return None
    return tuple(
        (Reference(str(key), value.where), Value(part, value.where)) for key, part in value.data.items()
    )


def credential(name: str, value: Value, problems: Diagnostics) -> Credential | None:
    """Return a credential; None when it is wrong. ``name`` is that of the property."""
    entries = entries_of(value)
    if entries is None:
        problems.error(
            "Property takes a credential",
            f"'{name}' is a credential, and this is {kind_of(value.data)}.",
            starred(value.where),
            _HELP_FORM,
        )
        return None
    hidden = [part.where for key, part in entries if key.name != "user" and not _is_plain_reference(part)]
    parts: dict[str, Value] = {}
    for key, part in entries:
        if key.name in _KEYS:
            parts[key.name] = part
        else:
            problems.error(
                "Unknown key",
                f"A credential has no key '{key.name}'.",
                starred(key.where, *hidden) if hidden else key.where,
                did_you_mean(key.name, _KEYS),
            )
    for key_name in _KEYS:
        if parts.get(key_name) is None or parts[key_name].data is None:
            problems.error(
                "Missing key",
                f"A credential needs the key '{key_name}', and '{name}' has none.",
                starred(value.where, *hidden) if hidden else value.where,
                _HELP_FORM,
            )
    user, password = parts.get("user"), parts.get("password")
    written = _user(name, user, problems) if user and user.data is not None else None
    ref = reference(name, password, problems) if password and password.data is not None else None
    return Credential(written, ref, value.where) if written is not None and ref else None


def secret_lines(name: str, value: Value, problems: Diagnostics) -> Credential | None:
    """Return the credential that carries named secrets; None when one is wrong. ``name`` is the property's."""
    entries = entries_of(value)
    if entries is None:
        problems.error(
            "Property takes named secrets",
            f"'{name}' maps names to references to secrets, and this is {kind_of(value.data)}.",
            starred(value.where),
            "Write {NAME: 'env:NAME'}.",
        )
        return None
    found: dict[str, SecretRef] = {}
    is_complete = True
    for key, part in entries:
        if part.data is None:
            continue
        if not _SECRET_NAME.fullmatch(key.name):
            problems.error(
                "Secret cannot have this name",
                f"'{key.name}' is no name for a secret: a letter or '_', then letters, digits, '_' and '-'.",
                key.where if _is_plain_reference(part) else starred(key.where, part.where),
            )
            is_complete = False
        ref = reference(key.name, part, problems)
        if ref is None:
            is_complete = False
        else:
            found[key.name] = ref
    return Credential(CARRIER, None, value.where, found) if is_complete else None


def reference(name: str, value: Value, problems: Diagnostics) -> SecretRef | None:
    """Return the reference to a secret; None when it is none. ``name`` is what the secret is for."""
    data = value.data
    if not _is_plain_reference(value):
        problems.error(
            "Secret is written in the configuration",
            f"A configuration says where a secret is, never the secret itself; what stands here for '{name}' is "
            f"{'no reference' if isinstance(data, str) else kind_of(data)}.",
            starred(value.where),
            _HELP_REFERENCE,
        )
        return None
    found = SecretRef.parse(data)
    unknown = [word for word in found.encodings if word not in ENCODINGS] if found else []
    for word in unknown:
        problems.error(
            "Unknown encoding",
            f"A secret cannot be encoded as '{word}'.",
            value.where,
            did_you_mean(word, ENCODINGS),
        )
    return None if unknown else found


def check_placeholders(contents: Value | None, secrets: Value | None, problems: Diagnostics) -> None:
    """Refuse a placeholder for a secret nobody names, and a secret no placeholder asks for.

    Args:
        contents: The text with placeholders ``@{secret:NAME}``; None when the property is not set.
        secrets: The named secrets; None when the property is not set.
        problems: Gets everything that is wrong.
    """
    text = contents.data if contents and isinstance(contents.data, str) else ""
    entries = (entries_of(secrets) if secrets else None) or ()
    names = {key.name: key for key, part in entries if part.data is not None}
    used: dict[str, None] = {}
    for found in _PLACEHOLDER.finditer(text):
        if contents and not (found[2] and _SECRET_NAME.fullmatch(found[1])):
            problems.error(
                "Placeholder cannot be read",
                "'@{secret:' starts a placeholder, and no name of a secret and '}' follow.",
                _inside(contents.where, found[0], text.count(found[0], 0, found.start())),
                "Write @{secret:NAME}: a letter or '_', then letters, digits, '_' and '-'.",
            )
        else:
            used[found[1]] = None
    if contents:
        for name in used:
            if name not in names:
                problems.error(
                    "Unknown secret",
                    f"'@{{secret:{name}}}' asks for a secret, and 'Secrets' has none of this name.",
                    _inside(contents.where, f"@{{secret:{name}}}"),
                    did_you_mean(name, names)
                    or "Add it below 'Secrets', with a reference to where it is kept.",
                )
    for name, key in names.items():
        if name not in used and _SECRET_NAME.fullmatch(name):
            problems.error(
                "Secret is not used",
                f"'Contents' has no placeholder '@{{secret:{name}}}', so the secret would only travel.",
                key.where,
                did_you_mean(name, [each for each in used if each not in names]) or "Remove it.",
            )


def _inside(where: SourceRange, text: str, earlier: int = 0) -> SourceRange:
    """Return where a piece of text stands inside a value; the whole value when it came from elsewhere.

    ``earlier`` is how often the same piece stands before it.
    """
    for number in range(where.line, where.end_line + 1):
        line = where.source.line(number)
        column = line.find(text, where.column - 1 if number == where.line else 0)
        while column >= 0 and earlier:
            column = line.find(text, column + len(text))
            earlier -= 1
        if column >= 0:
            return type(where)(where.source, number, column + 1, number, column + 1 + len(text))
    return where


def _user(name: str, value: Value, problems: Diagnostics) -> str | None:
    try:
        if isinstance(value.data, str) and value.data.strip():
            return speakable(name, value.data)
    except WrongValue as wrong:
        problems.error(wrong.summary, wrong.detail, value.where, wrong.help)
        return None
    seen = "empty" if isinstance(value.data, str) else kind_of(value.data)
    problems.error(
        "User is not text", f"The user of the credential '{name}' is text, and this is {seen}.", value.where
    )
    return None


def _is_plain_reference(value: Value) -> bool:
    return isinstance(value.data, str) and is_reference(value.data)
