"""Which secret a resource gave to Windows last, as our module remembers it: a salted hash in the registry."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from typing import Final

from provisioner.lab.machine.ground.registry import Registry

_KEY: Final = r"SOFTWARE\provisioner\Markers"
_KIND: Final = "pbkdf2-sha1"
_ROUNDS: Final = 100_000
_SALT_SIZE, _HASH_SIZE = 16, 20


def is_last(registry: Registry, resource: str, name: str, secret: str) -> bool:
    """Whether ``secret`` is the one that ``resource`` gave last for what is named."""
    marker = registry.get(rf"{_KEY}\{resource}", name)
    kind, _, rest = str(marker or "").partition("$")
    rounds, _, rest = rest.partition("$")
    try:
        salt = base64.b64decode(rest.partition("$")[0], validate=True)
        return kind == _KIND and hmac.compare_digest(_text(secret, salt, int(rounds)), str(marker))
    except (ValueError, binascii.Error):
        return False


def remember(registry: Registry, resource: str, name: str, secret: str) -> None:
    """Write the marker of a secret."""
    registry.set(rf"{_KEY}\{resource}", name, _text(secret, os.urandom(_SALT_SIZE), _ROUNDS))


def forget(registry: Registry, resource: str, name: str) -> None:
    """Remove a marker; one that is not there is no matter."""
    if registry.get(rf"{_KEY}\{resource}", name) is not None:
        registry.delete_value(rf"{_KEY}\{resource}", name)


def _text(secret: str, salt: bytes, rounds: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha1", secret.encode(), salt, rounds, _HASH_SIZE)
    return f"{_KIND}${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
