"""A node's certificate for encrypted documents, read from the node itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.errors import NodeError
from provisioner.secrets.certificates import HOW_TO_MAKE_ONE, CertificateError, EncryptionCertificate, parse
from provisioner.transport.base import SWITCH, Command, Pipeline, Record

if TYPE_CHECKING:
    from datetime import datetime

    from provisioner.node.session import Session

#: Certificates whose purpose is the encryption of documents. What they are is read from their bytes alone.
_CERTIFICATES = Pipeline(
    (
        Command("Get-ChildItem", {"Path": r"Cert:\LocalMachine\My", "DocumentEncryptionCert": SWITCH}),
        Command("Select-Object", {"Property": ["RawData", "HasPrivateKey"]}),
    )
)


async def read_certificate(session: Session, now: datetime) -> tuple[EncryptionCertificate, int]:
    """Ask a node for the certificate its documents are to be encrypted to.

    Of several that are fit at this time the one that ends last is taken; returned with it is how many there were.

    Raises:
        NodeError: It has none; the reason says what is wrong with those it has.
    """
    fit: list[EncryptionCertificate] = []
    reasons: list[str] = []
    for answer in await session.ask(_CERTIFICATES):
        if not isinstance(answer, Record):
            continue
        try:
            certificate = parse(_bytes(answer))
        except CertificateError as error:
            reasons.append(f"one cannot be used: {error}")
            continue
        clauses = certificate.unfit(now)
        if answer.get("HasPrivateKey") is False:
            clauses = (*clauses, "its private key is not on the node")
        if clauses:
            reasons.append(f"{certificate.thumbprint} must not be used: {', and '.join(clauses)}")
        else:
            fit.append(certificate)
    if not fit:
        found = "; ".join(reasons) or "there is none"
        raise NodeError(
            session.node,
            rf"no certificate in Cert:\LocalMachine\My is fit to encrypt documents to: {found}",
            HOW_TO_MAKE_ONE,
        )
    return max(fit, key=lambda each: (each.not_after, each.thumbprint)), len(fit)


def _bytes(answer: Record) -> bytes:
    data = answer.get("RawData")
    if isinstance(data, bytes):
        return data
    raise CertificateError("the node gave no bytes for it")
