"""The key with which secure strings travel, as far as the protocol knows it.

Wire does no cryptography: whoever owns the pool hands in how a key is made.

Source: MS-PSRP 2.2.3.3, 2.2.3.4, 2.2.5.1.24.
"""

from __future__ import annotations

import base64
from typing import Protocol

from provisioner.wire.clixml import UnserializableError


class SessionKey(Protocol):
    """One pool's key. It exists from its first use on, even before the client has asked for it."""

    def wrap(self, public_key: bytes) -> bytes:
        """Return the key for the owner of ``public_key``; both are blobs of Windows' crypto API.

        Raises:
            ValueError: It is no public key.
        """
        ...

    def encrypt(self, text: str) -> bytes:
        """Encrypt a string."""
        ...

    def decrypt(self, data: bytes) -> str:
        """Decrypt a string.

        Raises:
            ValueError: It was not made with this key.
        """
        ...


class KeyMissing(UnserializableError):
    """The key has first to be asked for: whatever needs it waits until the client has offered its own."""


class Secrets:
    """Turns secure strings into what travels, and back.

    A key that was used once, or given to the client, is there for both directions. Before, a text of the client
    cannot be read, and clients older than protocol version 2.2 are asked for their key before they are sent any
    text; newer ones ask by themselves. Source: PSRemotingCryptoHelperServer of PowerShell.
    """

    def __init__(self) -> None:
        self.key: SessionKey | None = None
        self.is_asked_for = False
        self._is_shared = False

    def encrypt(self, text: str) -> str:
        """Encrypt a string; raises KeyMissing."""
        if self.key is None:
            raise UnserializableError("a secure string before the pool has a key")
        if self.is_asked_for and not self._is_shared:
            raise KeyMissing("a secure string before the client has the key")
        self._is_shared = True
        return base64.b64encode(self.key.encrypt(text)).decode()

    def decrypt(self, text: str) -> str:
        """Decrypt a string; raises KeyMissing, and ValueError for what was not made with the key."""
        if self.key is None:
            raise ValueError("no key yet")
        if not self._is_shared:
            raise KeyMissing("a secure string before the client has the key")
        return self.key.decrypt(base64.b64decode(text, validate=True))

    def wrap(self, public_key: bytes) -> str | None:
        """Return the key for a client; None when there is no key, or what it offered is none."""
        if self.key is None:
            return None
        try:
            wrapped = self.key.wrap(public_key)
        except ValueError:
            return None
        self._is_shared = True
        return base64.b64encode(wrapped).decode()
