"""The key with which secure strings travel, as far as the protocol knows it.

Wire does no cryptography: whoever owns the pool hands in how a key is made.

Source: MS-PSRP 2.2.3.3, 2.2.3.4, 2.2.5.1.24.
"""

from __future__ import annotations

from typing import Protocol


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
