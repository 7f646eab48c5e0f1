r"""The drive Cert: as far as the lab has it: stores of the machine, as Cert:\LocalMachine\My."""

from __future__ import annotations

import base64
import re
from typing import Final

from cryptography import x509

from provisioner.lab.machine.ground.certificates import encoded, thumbprint
from provisioner.lab.machine.machine import Machine
from provisioner.lab.machine.security.certificate_store import FOR_DOCUMENTS, CertificateStore
from provisioner.lab.values import PsObject

_DRIVE = re.compile(r"(?:Microsoft\.PowerShell\.Security\\Certificate::|Cert:)", re.IGNORECASE)
_MACHINE: Final = "Cert:\\LocalMachine\\"
#: Stores that every computer has.
_STORES: Final = ("My", "Root", "CA", "AuthRoot", "TrustedPublisher", "TrustedPeople", "Disallowed")
_TYPES = (
    "System.Security.Cryptography.X509Certificates.X509Certificate2",
    "System.Security.Cryptography.X509Certificates.X509Certificate",
    "System.Object",
)


def is_certificate_path(path: str) -> bool:
    """Whether a path belongs to the certificate provider."""
    return bool(_DRIVE.match(path))


def certificates(path: str, machine: Machine, *, only_for_documents: bool = False) -> list[PsObject] | None:
    """Give the certificates of a store as objects; None when the machine has no such store."""
    asked = path.replace("/", "\\").rstrip("\\").casefold()
    name = next((name for name in _STORES if f"{_MACHINE}{name}".casefold() == asked), None)
    if name is None:
        return None
    own = machine.certificates.own if name == "My" else ()
    imported = [
        each
        for each in machine.area(CertificateStore).imported(f"LocalMachine\\{name}")
        if each.der and (not only_for_documents or FOR_DOCUMENTS in each.usages)
    ]
    return [_object(pair.certificate, name, has_key=True) for pair in own] + [
        _object(
            x509.load_der_x509_certificate(base64.b64decode(each.der)), name, has_key=each.has_private_key
        )
        for each in imported
    ]


def _object(certificate: x509.Certificate, store: str, *, has_key: bool) -> PsObject:
    name = certificate.subject.rfc4514_string()
    mark = thumbprint(certificate)
    return PsObject(
        _TYPES,
        {
            "FriendlyName": "",
            "HasPrivateKey": has_key,
            "Issuer": certificate.issuer.rfc4514_string(),
            "NotAfter": certificate.not_valid_after_utc,
            "NotBefore": certificate.not_valid_before_utc,
            "RawData": encoded(certificate),
            "SerialNumber": f"{certificate.serial_number:X}",
            "Subject": name,
            "Thumbprint": mark,
            "Version": 3,
        },
        {
            "PSPath": rf"Microsoft.PowerShell.Security\Certificate::LocalMachine\{store}\{mark}",
            "PSChildName": mark,
        },
        f"[Subject]\r\n  {name}\r\n\r\n[Thumbprint]\r\n  {mark}\r\n",
    )
