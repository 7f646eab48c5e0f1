"""The certificates of a node: its own one for encrypted documents, as New-SelfSignedCertificate would make it.

Kept in a file of the node's folder, key included, and made when it is first needed: most labs encrypt nothing, and
a key takes a tenth of a second.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from provisioner.lab.cms import KeyPair

DOCUMENT_ENCRYPTION = x509.ObjectIdentifier("1.3.6.1.4.1.311.80.1")
#: Where the certificates of the machine, not of a user, lie.
STORE = "Cert:\\LocalMachine\\My"

_FILE = "certificate.pem"
_NAME = "DscEncryptionCert"
_KEY_BITS = 2048
_VALID = timedelta(days=365)
#: A controller whose clock is behind must not find the certificate invalid.
_LEEWAY = timedelta(days=1)


class Certificates:
    """The certificate store of the machine; without a folder it is empty."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @cached_property
    def own(self) -> Sequence[KeyPair]:
        """The certificates with their keys; the one for documents is made when it is not there."""
        if self._folder is None:
            return ()
        path = self._folder / _FILE
        if not path.exists():
            _write(path, _made())
        content = path.read_bytes()
        key = load_pem_private_key(content, None)
        assert isinstance(key, RSAPrivateKey), f"{path} holds another key than the lab makes"
        return (KeyPair(x509.load_pem_x509_certificate(content), key),)

    def find(self, name: str) -> KeyPair | None:
        """Find a certificate by its thumbprint, in any case; blanks do not count."""
        wanted = "".join(name.split()).upper()
        return next((pair for pair in self.own if thumbprint(pair.certificate) == wanted), None)


def encoded(certificate: x509.Certificate) -> bytes:
    """Give the DER of a certificate."""
    return certificate.public_bytes(Encoding.DER)


def thumbprint(certificate: x509.Certificate) -> str:
    """Give the name Windows knows a certificate by."""
    return hashlib.sha1(encoded(certificate), usedforsecurity=False).hexdigest().upper()


def _made() -> bytes:
    """Make a key and a certificate for it, as PEM one after the other."""
    key = generate_private_key(65537, _KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = datetime.now(UTC).replace(microsecond=0)
    flags = dict.fromkeys(
        ("digital_signature", "content_commitment", "key_agreement", "key_cert_sign", "crl_sign"), False
    )
    usage = x509.KeyUsage(
        **flags, key_encipherment=True, data_encipherment=True, encipher_only=False, decipher_only=False
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LEEWAY)
        .not_valid_after(now + _VALID)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([DOCUMENT_ENCRYPTION]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem + certificate.public_bytes(Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    temporary.replace(path)
