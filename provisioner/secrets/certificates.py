"""A node's document-encryption certificate: read it, judge it, name it.

The rule of the room: Windows checks less than this (neither dates nor key sizes), so a node would be sent what it
cannot decrypt, or what others can. Every refusal says how to make a certificate that is fit. Source:
documentation of secured MOF files and of Protect-CmsMessage (LCM facts, credentials 3.3).
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID

from provisioner.secrets import der

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT_ENCRYPTION: Final = x509.ObjectIdentifier("1.3.6.1.4.1.311.80.1")
MIN_KEY_BITS: Final = 2048
#: Largest certificate file that is read, in bytes.
MAX_SIZE_BYTES: Final = 64 * 1024
#: Days before the end from which on a certificate is warned of.
SOON_DAYS: Final = 30

#: How a fit certificate comes into being; goes with every refusal.
HOW_TO_MAKE_ONE: Final = (
    "Make one on the node: New-SelfSignedCertificate -Type DocumentEncryptionCertLegacyCsp "
    "-DnsName DscEncryptionCert -HashAlgorithm SHA256 -CertStoreLocation Cert:\\LocalMachine\\My. "
    "Then pin it here: provision certificate fetch INVENTORY --replace."
)

_AUTHENTICATION: Final = {
    ExtendedKeyUsageOID.CLIENT_AUTH: "client authentication",
    ExtendedKeyUsageOID.SERVER_AUTH: "server authentication",
}


class CertificateError(Exception):
    """A certificate that cannot be read. The text is a clause: "it is neither PEM nor DER"."""


@dataclass(frozen=True, slots=True)
class EncryptionCertificate:
    """What encrypting to a certificate and naming it takes. Bytes are verbatim.

    ``issuer_and_serial`` is the DER of IssuerAndSerialNumber: a node compares the issuer with its own copy of the
    certificate, so its bytes are copied and never written anew. ``thumbprint`` is the SHA-1 of the certificate in
    upper-case hexadecimal: the name the node's LCM knows it by.
    """

    encoded: bytes
    issuer_and_serial: bytes
    thumbprint: str
    subject: str
    not_before: datetime
    not_after: datetime
    public_key: RSAPublicKey
    problems: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in lower-case hexadecimal."""
        return hashlib.sha256(self.encoded).hexdigest()

    def unfit(self, now: datetime) -> tuple[str, ...]:
        """Say why nothing may be encrypted to it at this time, one clause each; nothing when it is fit."""
        if now > self.not_after:
            return (*self.problems, f"it expired on {self.not_after:%Y-%m-%d}")
        if now < self.not_before:
            return (*self.problems, f"it is not valid before {self.not_before:%Y-%m-%d}")
        return self.problems

    def doubtful(self, now: datetime) -> tuple[str, ...]:
        """Say what speaks against a fit certificate, one clause each."""
        soon = now > self.not_after - timedelta(days=SOON_DAYS)
        return (*self.cautions, *([f"it expires on {self.not_after:%Y-%m-%d}"] if soon else ()))


def load(path: Path) -> EncryptionCertificate:
    """Read a certificate file.

    Raises:
        OSError: The file cannot be read.
        CertificateError: It is no certificate that could be used at all.
    """
    if path.is_fifo():  # reading would wait for somebody to write
        raise CertificateError("it is a pipe")
    with path.open("rb") as stream:
        data = stream.read(MAX_SIZE_BYTES + 1)
    if len(data) > MAX_SIZE_BYTES:
        raise CertificateError(f"the file has more than {MAX_SIZE_BYTES // 1024} KiB")
    return parse(data)


def parse(data: bytes) -> EncryptionCertificate:
    """Read a certificate from PEM or DER.

    Whether it is fit is for ``unfit`` to say, but for the key: without RSA there is nothing to encrypt with.

    Raises:
        CertificateError: It is no certificate that could be used at all.
    """
    if b"PRIVATE KEY-----" in data:
        raise CertificateError("the file holds a private key, which must not leave the node")
    with warnings.catch_warnings():
        # Whatever a library thinks of a serial number: Windows has accepted this certificate.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            return _read(_certificate(data))
        except (ValueError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension) as error:
            # The library looks into a certificate part by part, when it is asked for one.
            raise CertificateError("a part of it cannot be read") from error


def _certificate(data: bytes) -> x509.Certificate:
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise CertificateError("it is neither PEM nor DER of a certificate") from error


def _read(certificate: x509.Certificate) -> EncryptionCertificate:
    encoded = certificate.public_bytes(Encoding.DER)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise CertificateError("its key is not RSA")
    problems, cautions = _judge(key, certificate.extensions)
    return EncryptionCertificate(
        encoded=encoded,
        issuer_and_serial=_issuer_and_serial(encoded),
        thumbprint=hashlib.sha1(encoded, usedforsecurity=False).hexdigest().upper(),
        subject=certificate.subject.rfc4514_string(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        public_key=key,
        problems=problems,
        cautions=cautions,
    )


def _judge(key: RSAPublicKey, extensions: x509.Extensions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Say what forbids the use of a certificate at any time, and what speaks against it."""
    problems: list[str] = []
    cautions: list[str] = []
    if key.key_size < MIN_KEY_BITS:
        problems.append(f"its key has {key.key_size} bits, fewer than {MIN_KEY_BITS}")
    purposes = _purposes(extensions)
    if DOCUMENT_ENCRYPTION not in purposes:
        problems.append(
            f"its extended key usage does not name document encryption ({DOCUMENT_ENCRYPTION.dotted_string})"
        )
    cautions.extend(
        f"its extended key usage also names {name}, which a certificate for documents should not"
        for oid, name in _AUTHENTICATION.items()
        if oid in purposes
    )
    usage = _usage(extensions)
    if usage is None or not (usage.key_encipherment or usage.data_encipherment):
        problems.append("its key usage names neither key encipherment nor data encipherment")
    elif usage.digital_signature:
        cautions.append(
            "its key usage also names digital signature, which a certificate for documents should not"
        )
    return tuple(problems), tuple(cautions)


def _purposes(extensions: x509.Extensions) -> set[x509.ObjectIdentifier]:
    try:
        return set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()


def _usage(extensions: x509.Extensions) -> x509.KeyUsage | None:
    try:
        return extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _issuer_and_serial(encoded: bytes) -> bytes:
    """Cut issuer and serial number out of a certificate: the first fields of what is signed."""
    try:
        _, signed, _ = next(der.elements(next(der.elements(encoded))[1]))
        fields = [whole for tag, _, whole in der.elements(signed) if tag != der.CONTEXT_0]
        serial, _algorithm, issuer = fields[:3]
    except (der.DerError, StopIteration, ValueError) as error:
        raise CertificateError("its fields are not DER") from error
    return der.element(der.SEQUENCE, issuer, serial)
