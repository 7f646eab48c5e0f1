"""Markers of secrets that were given to Windows: salted hashes in the registry, as ProvisionerDsc keeps them."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from typing import Final

from provisioner.lab.machine.ground.registry import Registry

_KEY: Final = r"SOFTWARE\provisioner\Markers"
_SCHEME: Final = "pbkdf2-sha1"
_ROUNDS: Final = 100_000
_SALT_BYTES: Final = 16
#: Scheme, rounds, salt and hash; the last two in base64.
_MARKER: Final = re.compile(
    rf"{_SCHEME}\$([1-9][0-9]{{0,6}})\$([A-Za-z0-9+/]{{22}}==)\$([A-Za-z0-9+/]{{27}}=)"
)


def is_marked(registry: Registry, resource: str, name: str, secret: str) -> bool:
    """Whether this secret was the last one that the resource gave for the thing ``name``."""
    found = _MARKER.fullmatch(str(registry.get(f"{_KEY}\\{resource}", name) or ""))
    return found is not None and _digest(secret, base64.b64decode(found[2]), int(found[1])) == found[3]


def mark(registry: Registry, resource: str, name: str, secret: str) -> None:
    """Remember a secret that was given."""
    salt = os.urandom(_SALT_BYTES)
    text = f"{_SCHEME}${_ROUNDS}${base64.b64encode(salt).decode()}${_digest(secret, salt, _ROUNDS)}"
    registry.set(f"{_KEY}\\{resource}", name, text)


def forget(registry: Registry, resource: str, name: str) -> None:
    """Forget what was given."""
    registry.delete_value(f"{_KEY}\\{resource}", name)


def _digest(secret: str, salt: bytes, rounds: int) -> str:
    return base64.b64encode(hashlib.pbkdf2_hmac("sha1", secret.encode(), salt, rounds)).decode()
