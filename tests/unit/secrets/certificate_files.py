"""Certificates and their keys, made for one test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioner.secrets.certificates import DOCUMENT_ENCRYPTION

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """A certificate as DER, and its key."""

    encoded: bytes
    key: RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return x509.load_der_x509_certificate(self.encoded).public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def rsa_key(bits: int = 2048, number: int = 0) -> RSAPrivateKey:
    """Make a key; the same one for the same arguments."""
    return generate_private_key(65537, bits)


def usage(*names: str) -> x509.KeyUsage:
    """Make a key usage that names only these."""
    known = [
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
    ]
    flags = {name: name in names for name in [*known, "key_cert_sign", "crl_sign", "encipher_only"]}
    return x509.KeyUsage(**flags, decipher_only=False)


def make_certificate(
    *,
    key: RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    names: tuple[str, ...] = ("key_encipherment", "data_encipherment"),
    purposes: tuple[x509.ObjectIdentifier, ...] = (DOCUMENT_ENCRYPTION,),
    begins: datetime = NOW - timedelta(days=30),
    ends: datetime = NOW + timedelta(days=300),
    subject: str = "DscEncryptionCert",
) -> Made:
    key = key or rsa_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        builder = builder.add_extension(usage(*names), critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return Made(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER), key)


CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
