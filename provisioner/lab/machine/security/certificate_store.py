r"""The certificate stores of a machine beyond its own certificate: what was imported, by store.

A store is named as below ``Cert:\``: ``LocalMachine\My``. Certificates of the current user are those of SYSTEM,
because whoever imports by DSC is SYSTEM.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.ground.certificates import DOCUMENT_ENCRYPTION, encoded, thumbprint

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

MY: Final = "LocalMachine\\My"
FOR_DOCUMENTS: Final = "Document Encryption"
_USAGES: Final[Mapping[str, str]] = {
    ExtendedKeyUsageOID.SERVER_AUTH.dotted_string: "Server Authentication",
    ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string: "Client Authentication",
    DOCUMENT_ENCRYPTION.dotted_string: FOR_DOCUMENTS,
}
_COMMANDS: Final = "System.ComponentModel.Win32Exception"


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """One certificate. Names as .NET writes them: ``CN=HV01, O=Contoso``; ``der`` in base64."""

    thumbprint: str
    subject: str
    issuer: str
    dns_names: tuple[str, ...] = ()
    usages: tuple[str, ...] = ()
    has_private_key: bool = False
    is_exportable: bool = False
    friendly_name: str = ""
    store: str = MY
    der: str = ""

    @property
    def serves_tls(self) -> bool:
        """Whether a server may use it: it says so, or says nothing of its use."""
        return not self.usages or "Server Authentication" in self.usages


class CertificateStore(Area["Machine"]):
    r"""Imported certificates in the order of their coming; the machine's own ones are in LocalMachine\My."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._imported: list[StoredCertificate] = []

    def all(self, store: str = MY) -> list[StoredCertificate]:
        """Give the certificates of a store."""
        own = [read(pair.certificate, has_key=True) for pair in self.owner.certificates.own]
        return self.imported(store) + [item for item in own if item.store.casefold() == store.casefold()]

    def imported(self, store: str) -> list[StoredCertificate]:
        """Give what was imported into a store."""
        return [item for item in self._imported if item.store.casefold() == store.casefold()]

    def find(self, mark: str, store: str = MY) -> StoredCertificate | None:
        """Find a certificate by its thumbprint."""
        wanted = "".join(mark.split()).casefold()
        return next((item for item in self.all(store) if item.thumbprint.casefold() == wanted), None)

    def add(self, certificate: StoredCertificate) -> None:
        """Put a certificate into its store, in the place of the same one."""
        self._imported = [
            item
            for item in self._imported
            if (item.thumbprint, item.store.casefold())
            != (certificate.thumbprint, certificate.store.casefold())
        ] + [certificate]
        self.owner.ledger.changed("certificates", f"{certificate.thumbprint} in {certificate.store}")

    def import_file(self, content: bytes, store: str) -> StoredCertificate:
        """Import a certificate without a key (Import-Certificate); DER or PEM.

        Raises:
            MachineError: there is no certificate in the file.
        """
        self.owner.ledger.attempt("Import-Certificate")
        try:
            parsed = (
                x509.load_pem_x509_certificate(content)
                if b"-----BEGIN" in content
                else x509.load_der_x509_certificate(content)
            )
        except ValueError:
            raise MachineError(
                "Cannot find the requested object.", "InvalidOperation", "NotSpecified", _COMMANDS
            ) from None
        made = replace(read(parsed), store=store)
        known = self.find(made.thumbprint, store)
        if known is None or not known.has_private_key:
            self.add(made)
        return made

    def import_pfx(
        self, content: bytes, password: str | None, store: str, *, is_exportable: bool
    ) -> StoredCertificate:
        """Import a certificate with its key (Import-PfxCertificate).

        Raises:
            MachineError: the password is wrong, or the file is none.
        """
        self.owner.ledger.attempt("Import-PfxCertificate")
        try:
            _key, parsed, _others = pkcs12.load_key_and_certificates(
                content, password.encode() if password else None
            )
        except ValueError:
            parsed = None
        if parsed is None:
            raise MachineError(
                "The PFX file you are trying to import requires either a different password or membership in an "
                "Active Directory principal to which it is protected.",
                "System.ComponentModel.Win32Exception",
                "NotSpecified",
                _COMMANDS,
            )
        made = replace(read(parsed, has_key=True), store=store, is_exportable=is_exportable)
        self.add(made)
        return made

    def describe(self, mark: str, store: str, name: str) -> None:
        """Give a certificate another friendly name."""
        found = self.find(mark, store)
        if found is not None:
            self.add(replace(found, friendly_name=name))

    def remove(self, mark: str, store: str) -> None:
        """Remove a certificate from a store."""
        self._imported = [
            item
            for item in self._imported
            if not (
                item.thumbprint.casefold() == mark.casefold() and item.store.casefold() == store.casefold()
            )
        ]
        self.owner.ledger.changed("certificates", f"{mark} gone from {store}")

    def to_plain(self) -> Any:
        """Give what was imported."""
        return [asdict(item) for item in self._imported]

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._imported = [
            StoredCertificate(
                **{
                    **item,
                    "dns_names": tuple(item.get("dns_names", ())),
                    "usages": tuple(item.get("usages", ())),
                }
            )
            for item in plain
        ]


def read(certificate: x509.Certificate, *, has_key: bool = False) -> StoredCertificate:
    """Describe a certificate as Windows would."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = tuple(names.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        dns = ()
    try:
        usages = tuple(
            _USAGES.get(usage.dotted_string, usage.dotted_string)
            for usage in certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        )
    except x509.ExtensionNotFound:
        usages = ()
    return StoredCertificate(
        thumbprint(certificate),
        _shown(certificate.subject),
        _shown(certificate.issuer),
        dns,
        usages,
        has_key,
        der=base64.b64encode(encoded(certificate)).decode("ascii"),
    )


def _shown(name: x509.Name) -> str:
    """Give a name as .NET writes it: the first part first, a blank behind each comma."""
    return re.sub(r"(?<!\\),", ", ", name.rfc4514_string())
