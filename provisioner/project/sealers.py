"""Who seals the credentials of a node: opened only for nodes that have any, and once in each process."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioner.configuration.model import Configuration, Credential, Instance
from provisioner.diagnostics import Diagnostics
from provisioner.inventory.model import Node
from provisioner.secrets.ciphertexts import CiphertextStore
from provisioner.secrets.model import MASK
from provisioner.secrets.sealing import NodeSealer, open_sealer


class Withheld:
    """A sealer that resolves nothing: what it makes is for counting and checking, and for nobody to be sent."""

    def __init__(self, *, is_encrypted: bool) -> None:
        self.is_encrypted = is_encrypted

    def seal(self, credential: Credential) -> str:
        """Return a mask."""
        del credential
        return MASK


class Sealers:
    """Opens the sealers of one inventory."""

    def __init__(self, base: Path, state_folder: Path) -> None:
        """``base`` is the folder of the inventory; ciphertexts are kept in the state folder."""
        self._base = base
        self._state_folder = state_folder
        self._store: tuple[int, CiphertextStore] | None = None
        self._now = datetime.now(UTC)

    def open(self, node: Node) -> tuple[NodeSealer | None, Diagnostics]:
        """Make the sealer of a node that has credentials; None comes with an error."""
        # A connection to the store does not survive a fork.
        if self._store is None or self._store[0] != os.getpid():
            self._store = (os.getpid(), CiphertextStore(self._state_folder))
        return open_sealer(node, self._base, self._store[1], self._now)


def credentials_of(configuration: Configuration) -> Iterator[Credential]:
    """Yield all credentials of a configuration in its order."""
    for resource in configuration.resources:
        for value in resource.properties.values():
            # Nearly all values are plain, and a fleet has millions of them.
            if not isinstance(value, str | bool | int):
                yield from _credentials_in(value)


def _credentials_in(value: Any) -> Iterator[Credential]:
    match value:
        case Credential():
            yield value
        case Instance():
            for part in value.properties.values():
                yield from _credentials_in(part)
        case tuple():
            for part in value:
                yield from _credentials_in(part)
        case _:
            pass


def keyed_digest(sealer: NodeSealer, credentials: Iterable[Credential]) -> str:
    """Return what changes with any secret or with the certificate, and tells nothing without the project's key."""
    total = hashlib.sha256()
    for credential in credentials:
        total.update(sealer.digest(credential))
    return total.hexdigest()
