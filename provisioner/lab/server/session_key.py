"""The key of a runspace pool's secure strings: AES-256-CBC, handed to the client under its RSA key.

Both keys travel as blobs of Windows' crypto API: numbers with their lowest byte first.

Source: MS-PSRP 2.2.2.12, 2.2.5.1.24, 3.2.5.4.3; recordings of real ends.
"""

from __future__ import annotations

import os
import struct
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

_BLOCK_BITS: Final = 128
_NO_VECTOR: Final = bytes(_BLOCK_BITS // 8)
_KEY_BYTES: Final = 32

#: PUBLICKEYBLOB: type, version, reserved, algorithm RSA_KEYX, "RSA1", bits of the modulus, exponent.
_PUBLIC_HEADER: Final = struct.Struct("<BBHI4sII")
_PUBLIC_BLOB: Final = 0x06
_MAGIC: Final = b"RSA1"
_RSA: Final = 0xA400
#: SIMPLEBLOB: type, version, reserved, algorithm AES-256, algorithm of the wrapping key.
_SIMPLE_HEADER: Final = struct.pack("<BBHII", 0x01, 0x02, 0, 0x6610, _RSA)
_LEAST_BITS: Final = 1024
_MOST_BITS: Final = 16384


class AesSessionKey:
    """One pool's key; made by the server, as real servers do."""

    __slots__ = ("_key",)

    def __init__(self) -> None:
        self._key = os.urandom(_KEY_BYTES)

    def wrap(self, public_key: bytes) -> bytes:
        """Return the key as a SIMPLEBLOB for the owner of a PUBLICKEYBLOB; raises ValueError."""
        if len(public_key) < _PUBLIC_HEADER.size:
            raise ValueError("no public key")
        kind, _version, _reserved, algorithm, magic, bits, exponent = _PUBLIC_HEADER.unpack_from(public_key)
        modulus = public_key[_PUBLIC_HEADER.size :]
        if (kind, algorithm, magic) != (_PUBLIC_BLOB, _RSA, _MAGIC) or not _LEAST_BITS <= bits <= _MOST_BITS:
            raise ValueError("no public key")
        if len(modulus) != bits // 8:
            raise ValueError("no public key")
        owner = RSAPublicNumbers(exponent, int.from_bytes(modulus, "little")).public_key()
        return _SIMPLE_HEADER + owner.encrypt(self._key, PKCS1v15())[::-1]

    def encrypt(self, text: str) -> bytes:
        """Encrypt the UTF-16 of a string."""
        padder = PKCS7(_BLOCK_BITS).padder()
        plain = padder.update(text.encode("utf-16-le", "surrogatepass")) + padder.finalize()
        encryptor = self._cipher().encryptor()
        return encryptor.update(plain) + encryptor.finalize()

    def decrypt(self, data: bytes) -> str:
        """Decrypt what ``encrypt``, or the client with this key, made; raises ValueError."""
        decryptor = self._cipher().decryptor()
        padded = decryptor.update(data) + decryptor.finalize()
        unpadder = PKCS7(_BLOCK_BITS).unpadder()
        return (unpadder.update(padded) + unpadder.finalize()).decode("utf-16-le", "surrogatepass")

    def _cipher(self) -> Cipher[CBC]:
        # The protocol has no vector: every string of a pool begins from zeros.
        return Cipher(AES256(self._key), CBC(_NO_VECTOR))
