"""Name a configuration after its content: the same resources give the same name, in any process.

The digest ignores how things are written: positions, encoding of the document, order of properties, and the kind
of line ends inside a text, which no document keeps. It counts every value, embedded ones too, and of a credential
the user and the reference, never the secret: with a new password it is the same configuration.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from provisioner.configuration.model import Credential, Instance, Resource

_DIGITS = 24
#: How many digests are kept before the oldest is let go.
_LIMIT = 50_000


class ResourceDigests:
    """Digests of resources by identity, for naming many configurations that share resources. Bounded."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._known: dict[int, tuple[Resource, bytes]] = {}

    def get(self, resource: Resource) -> bytes:
        """Return the digest of a resource, made at most once while it is kept."""
        if not resource.may_recur:
            return _digest(resource)
        # The properties are what configurations share; the resource around them differs in its dependencies.
        key = id(resource.properties)
        known = self._known.get(key)
        if known is not None and (known[0] is resource or _has_same_parts(known[0], resource)):
            return known[1]
        found = _digest(resource)
        self._known[key] = (resource, found)
        if len(self._known) > self._limit:
            del self._known[next(iter(self._known))]
        return found


def digest(resources: Iterable[Resource], known: ResourceDigests | None = None) -> str:
    """Return the SHA-256 of the canonical form, as 64 hexadecimal digits. ``known`` saves work across calls."""
    whole = hashlib.sha256()
    for resource in resources:
        whole.update(known.get(resource) if known else _digest(resource))
    return whole.hexdigest()


def document_name(resources: Iterable[Resource], known: ResourceDigests | None = None) -> str:
    """Return a letter and the start of the digest: a name PowerShell takes for a configuration."""
    return f"C{digest(resources, known)[:_DIGITS]}"


def _has_same_parts(one: Resource, other: Resource) -> bool:
    return (
        one.properties is other.properties
        and one.type is other.type
        and one.id == other.id
        and one.depends_on == other.depends_on
        and one.version == other.version
        and one.module == other.module
    )


def _digest(resource: Resource) -> bytes:
    plain = {
        "id": str(resource.id),
        "class": resource.type.class_name,
        "module": resource.module or resource.type.module,
        "version": resource.version or resource.type.version,
        "properties": dict(resource.properties),
        "depends_on": [str(target) for target in resource.depends_on],
    }
    text = _ENCODER.encode(plain)
    if "\\r\\n" in text:
        text = _ENCODER.encode({**plain, "properties": _with_one_line_end(plain["properties"])})
    return hashlib.sha256(text.encode("ascii")).digest()


def _plain(value: Any) -> Any:
    """Return the canonical form of what JSON does not know."""
    match value:
        case Instance():
            return {"class": value.class_name, "properties": dict(value.properties)}
        case Credential():
            secrets = {name: str(each) for name, each in (value.secrets or {}).items()}
            return {
                "user": value.user,
                "password": value.password and str(value.password),
                "secrets": secrets,
            }
        case _:
            raise TypeError(f"a value of type {type(value).__name__} has no canonical form")


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain)


def _with_one_line_end(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\r\n", "\n")
        case tuple():
            return [_with_one_line_end(each) for each in value]
        case dict():
            return {name: _with_one_line_end(each) for name, each in value.items()}
        case Instance() | Credential():
            return _with_one_line_end(_plain(value))
        case _:
            return value
