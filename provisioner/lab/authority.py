"""The certificate authority of a lab: issues the certificates of HTTPS listeners, so that clients can verify.

``<lab>/certificates/ca.pem`` is for clients to trust, ``<node>.pem`` beside it the certificate of a node; keys
stay in files of their owner only. Elliptic curve keys: they are made in no time. What is wrong with a certificate
was asked for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provisioner.lab.logon import HttpsSpec

_VALID: Final = timedelta(days=365)
#: A client whose clock is behind must not find the certificate invalid.
_LEEWAY: Final = timedelta(days=1)
_WRONG_NAME: Final = "another-machine.invalid"
_SERVER: Final = (ExtendedKeyUsageOID.SERVER_AUTH,)


@dataclass(frozen=True, slots=True)
class Subject:
    """The node a certificate is for. Its ``names`` are host names and addresses, the first one the main one."""

    node: str
    names: tuple[str, ...]


class Authority:
    """The authority of the lab whose certificates lie in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def certificate(self) -> Path:
        """What clients have to trust; made when it is not there."""
        path = self._folder / "ca.pem"
        if not path.exists():
            self._make()
        return path

    def issue(self, subject: Subject, settings: HttpsSpec, own: Path) -> None:
        """Write the certificate of a node with its key to ``own``, and without beside that of the authority."""
        key = generate_private_key(SECP256R1())
        is_own = settings.certificate == "self-signed"
        certificate = _made(
            key,
            subject.names if settings.certificate != "wrong-name" else (_WRONG_NAME,),
            key if is_own else self._key,
            None if is_own else x509.load_pem_x509_certificate(self.certificate.read_bytes()),
            is_expired=settings.certificate == "expired",
        )
        public = certificate.public_bytes(Encoding.PEM)
        _write(self._folder / f"{subject.node}.pem", public, 0o644)
        _write(own, _private(key) + public, 0o600)

    @property
    def _key(self) -> EllipticCurvePrivateKey:
        key = load_pem_private_key((self.certificate.parent / "ca.key").read_bytes(), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        return key

    def _make(self) -> None:
        key = generate_private_key(SECP256R1())
        name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, f"provisioner lab {self._folder.parent.name}")]
        )
        now = datetime.now(UTC).replace(microsecond=0)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _LEEWAY * 1000)
            .not_valid_after(now + _VALID * 10)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write(self._folder / "ca.key", _private(key), 0o600)
        _write(self._folder / "ca.pem", certificate.public_bytes(Encoding.PEM), 0o644)


class CertificateFiles:
    """Where the certificate of one listener lies. It is made anew in each lab, when it is first asked for."""

    def __init__(self, authority: Authority, subject: Subject, settings: HttpsSpec, folder: Path) -> None:
        self._authority = authority
        self._subject = subject
        self._settings = settings
        self._path = folder / f"https-{settings.certificate}.pem"

    def prepare(self) -> None:
        """Make what clients have to trust: the authority, or the certificate that nobody else vouches for."""
        self.authority()
        if self._settings.certificate == "self-signed":
            self.own()

    def like(self, certificate: str) -> CertificateFiles:
        """Make others for the same listener, with a certificate of another kind (``logon.CERTIFICATES``)."""
        settings = replace(self._settings, certificate=certificate)
        return CertificateFiles(self._authority, self._subject, settings, self._path.parent)

    def authority(self) -> Path:
        """The certificate of the lab's authority."""
        return self._authority.certificate

    def own(self) -> Path:
        """The certificate of the listener with its key."""
        return self._made

    @cached_property
    def _made(self) -> Path:
        # Addresses may be others than in an earlier lab of this name.
        self._authority.issue(self._subject, self._settings, self._path)
        return self._path


def _made(
    key: EllipticCurvePrivateKey,
    names: tuple[str, ...],
    issuer_key: EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    *,
    is_expired: bool,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC).replace(microsecond=0)
    begin, end = (now - _VALID, now - _LEEWAY) if is_expired else (now - _LEEWAY, now + _VALID)
    identifier = x509.SubjectKeyIdentifier.from_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_SERVER), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(text) for text in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    known = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    return builder.add_extension(known, critical=False).sign(issuer_key, hashes.SHA256())


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*names: str) -> x509.KeyUsage:
    flags = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**{**flags, **dict.fromkeys(names, True)})


def _private(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
    temporary.replace(path)
