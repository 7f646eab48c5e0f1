"""Whether what the inventory says of logging on can be meant: before anything is asked of anybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from provisioner.addresses import Scheme, is_ip_address
from provisioner.diagnostics import Diagnostics
from provisioner.documents import Scalar
from provisioner.inventory.ladder import NodeSource

#: Ways that work with what this machine has, a ticket or a certificate.
_WITHOUT_PASSWORD: Final = frozenset({Scheme.KERBEROS, Scheme.CERTIFICATE})


def _said(node: NodeSource, key: str) -> str:
    entry = node.connection.get(key)
    value = entry.value.value if entry and isinstance(entry.value, Scalar) else None
    return value if isinstance(value, str) else ""


def _is_tls(node: NodeSource) -> bool:
    entry = node.connection.get("tls")
    return entry is not None and isinstance(entry.value, Scalar) and entry.value.value is True


def scheme_of(node: NodeSource) -> Scheme:
    """Return the way a node is to be logged on to, ``auto`` when nothing that is known is said."""
    said = _said(node, "authentication")
    return Scheme(said) if said in {scheme.value for scheme in Scheme} else Scheme.AUTO


def needs_account(node: NodeSource) -> bool:
    """Tell whether a node cannot do without a user and a password."""
    scheme = scheme_of(node)
    has_certificate = scheme is Scheme.AUTO and _said(node, "client_certificate") != ""
    return scheme not in _WITHOUT_PASSWORD and not has_certificate


def check(nodes: Iterable[NodeSource], problems: Diagnostics) -> None:
    """Report what cannot work or is dangerous, each place once."""
    seen: set[object] = set()
    for node in nodes:
        for key, text, detail, help_ in _found(node):
            entry = node.connection.get(key)
            where = entry.value.where if entry else node.key.where
            if (where, text) in seen:
                continue
            seen.add((where, text))
            add = problems.warning if text.startswith("Password is handed") else problems.error
            add(text, detail, where, help_)


def _found(node: NodeSource) -> Iterable[tuple[str, str, str, str]]:
    """Yield key, summary, detail and help of each problem of one node."""
    scheme, certificate = scheme_of(node), _said(node, "client_certificate")
    if scheme is Scheme.BASIC and not _is_tls(node):
        yield (
            "authentication",
            "Password would travel in the clear",
            f"'{node.name}' is reached over http, where 'basic' hands the password to everybody on the way.",
            "Add 'tls: true', or take 'authentication: ntlm', which never sends the password.",
        )
    if scheme is Scheme.CREDSSP:
        yield (
            "authentication",
            "Password is handed to the node",
            "With 'credssp' the node gets the password itself, and with it whoever controls the node.",
            "Kerberos and NTLM prove the password without sending it.",
        )
    if scheme is Scheme.CERTIFICATE and not certificate:
        yield (
            "authentication",
            "Certificate is missing",
            f"'{node.name}' is to be logged on to with a certificate, and none is named.",
            "Write 'client_certificate: PATH', and 'client_key: PATH' where the key is in another file.",
        )
    if certificate and scheme in {Scheme.AUTO, Scheme.CERTIFICATE} and not _is_tls(node):
        yield (
            "client_certificate",
            "Certificate needs https",
            f"'{node.name}' is reached over http, where nobody can show a certificate.",
            "Add 'tls: true'.",
        )
    if _said(node, "client_key") and not certificate:
        yield "client_key", "Key without a certificate", "There is no 'client_certificate' to go with it.", ""
    if _said(node, "ca_certificates") and not _is_tls(node):
        yield (
            "ca_certificates",
            "Authorities need https",
            f"'{node.name}' is reached over http, where there is no certificate to trust.",
            "Add 'tls: true', or take the key away.",
        )
    if scheme is Scheme.KERBEROS and not _said(node, "service_principal") and is_ip_address(node.address):
        yield (
            "authentication",
            "Kerberos knows names only",
            f"'{node.name}' has the address {node.address}, and nobody has a ticket for a number.",
            "Write 'service_principal: WSMAN/HOST' with the node's name in the domain.",
        )
