r"""The drive Cert: as far as the lab has it: the certificates of the machine, in Cert:\LocalMachine\My."""

from __future__ import annotations

import re

from cryptography import x509

from provisioner.lab.machine.ground.certificates import STORE, Certificates, encoded, thumbprint
from provisioner.lab.values import PsObject

_DRIVE = re.compile(r"(?:Microsoft\.PowerShell\.Security\\Certificate::|Cert:)", re.IGNORECASE)
_TYPES = (
    "System.Security.Cryptography.X509Certificates.X509Certificate2",
    "System.Security.Cryptography.X509Certificates.X509Certificate",
    "System.Object",
)


def is_certificate_path(path: str) -> bool:
    """Whether a path belongs to the certificate provider."""
    return bool(_DRIVE.match(path))


def certificates(path: str, store: Certificates) -> list[PsObject] | None:
    """Give the certificates of a store as objects; None when the lab has no such store."""
    asked = path.replace("/", "\\").rstrip("\\").casefold()
    if asked != STORE.casefold():
        return None
    return [_object(pair.certificate) for pair in store.own]


def _object(certificate: x509.Certificate) -> PsObject:
    name = certificate.subject.rfc4514_string()
    mark = thumbprint(certificate)
    return PsObject(
        _TYPES,
        {
            "FriendlyName": "",
            "HasPrivateKey": True,
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
            "PSPath": rf"Microsoft.PowerShell.Security\Certificate::LocalMachine\My\{mark}",
            "PSChildName": mark,
        },
        f"[Subject]\r\n  {name}\r\n\r\n[Thumbprint]\r\n  {mark}\r\n",
    )
