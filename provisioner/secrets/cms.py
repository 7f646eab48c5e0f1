"""Encrypt a text to a certificate in the one form that Windows was seen to write into a MOF document.

CMS EnvelopedData, version 0; one recipient, version 0, named by issuer and serial number; the content key wrapped
with rsaesOaep whose parameters are an empty SEQUENCE, that is SHA-1 throughout; content in AES-256-CBC. Another
form might do, but nobody has seen a node take it. Sources: RFC 5652 and RFC 4055; a document Windows PowerShell
wrote.

The rule of the room: nothing here decides whether a certificate is fit; ``certificates`` does.
"""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from provisioner.secrets import der

if TYPE_CHECKING:
    from provisioner.secrets.certificates import EncryptionCertificate

BEGIN: Final = "-----BEGIN CMS-----"
END: Final = "-----END CMS-----"

_ENVELOPED_DATA: Final = der.object_identifier("1.2.840.113549.1.7.3")
_DATA: Final = der.object_identifier("1.2.840.113549.1.7.1")
_AES256_CBC: Final = der.object_identifier("2.16.840.1.101.3.4.1.42")
_RSAES_OAEP: Final = der.object_identifier("1.2.840.113549.1.1.7")

_LINE: Final = 76
_KEY_BYTES: Final = 32
_BLOCK_BYTES: Final = 16


def is_armoured(text: str) -> bool:
    """Whether a text begins as an encrypted one does, whatever the case of the marker.

    A node that does not decrypt hands such a text on as the password itself.
    """
    return text.lstrip().casefold().startswith(BEGIN.casefold())


def armoured(text: str, certificate: EncryptionCertificate) -> str:
    """Encrypt a text as UTF-8; return what stands in the ``Password`` of a credential, lines divided by LF.

    Two calls never give the same text.

    Raises:
        ValueError: The text is empty. Windows leaves an empty password as it is, and a message that lost its
            content decrypts to one, so it is never encrypted.
    """
    if not text:
        raise ValueError("an empty text is never encrypted")
    encoded = base64.b64encode(enveloped(text.encode(), certificate)).decode("ascii")
    lines = (encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE))
    return "\n".join((BEGIN, *lines, END))


def enveloped(content: bytes, certificate: EncryptionCertificate) -> bytes:
    """Encrypt some bytes; return the DER of the message."""
    key, vector = os.urandom(_KEY_BYTES), os.urandom(_BLOCK_BYTES)
    # SHA-1 is no choice: it is what empty parameters mean. OAEP does not rest on its collision resistance.
    oaep = OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303 - see above
    recipient = der.element(
        der.SEQUENCE,
        der.small_integer(0),
        certificate.issuer_and_serial,
        der.element(der.SEQUENCE, _RSAES_OAEP, der.element(der.SEQUENCE)),
        der.element(der.OCTET_STRING, certificate.public_key.encrypt(key, oaep)),
    )
    algorithm = der.element(der.SEQUENCE, _AES256_CBC, der.element(der.OCTET_STRING, vector))
    encrypted = der.element(der.CONTEXT_0_PRIMITIVE, _encrypted(content, key, vector))
    data = der.element(
        der.SEQUENCE,
        der.small_integer(0),
        der.element(der.SET, recipient),
        der.element(der.SEQUENCE, _DATA, algorithm, encrypted),
    )
    return der.element(der.SEQUENCE, _ENVELOPED_DATA, der.element(der.CONTEXT_0, data))


def _encrypted(content: bytes, key: bytes, vector: bytes) -> bytes:
    padder = PKCS7(_BLOCK_BYTES * 8).padder()
    encryptor = Cipher(AES256(key), CBC(vector)).encryptor()
    return encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
