"""Nodes that ask for more than a password over plain HTTP, and the clients that come to them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from winrm.protocol import Protocol

from provisioner.lab.authority import Authority, CertificateFiles, Subject
from provisioner.lab.logon import SCHEMES, AuthenticationSpec, HttpsSpec, LogonSpec, UserSpec
from provisioner.lab.server.authentication.accounts import nt_hash
from tests.lab.fake_node import PASSWORD, USER, RunningFleet

HTTPS_PORT = 24986
OTHER = "operator"
OTHER_PASSWORD = "Second-Window-9"
HOST = "node0.lab.test"


def user(name: str = OTHER, password: str = OTHER_PASSWORD, **more: Any) -> UserSpec:
    return UserSpec(name, nt_hash=nt_hash(password) if password else b"", **more)


def everything(**more: Any) -> LogonSpec:
    """All schemes on, HTTPS on, the defaults otherwise."""
    authentication = more.pop("authentication", {})
    return LogonSpec(
        authentication=AuthenticationSpec(**{"schemes": SCHEMES, **authentication}),
        https=HttpsSpec(HTTPS_PORT, **more.pop("https", {})),
        **more,
    )


@dataclasses.dataclass
class Site:
    """A running node with its lab's authority."""

    fleet: RunningFleet
    folder: Path

    @property
    def address(self) -> str:
        return self.fleet.node.address

    @property
    def ca(self) -> str:
        return str(self.folder / "lab" / "certificates" / "ca.pem")

    def wsman(self, auth: str, *, ssl: bool, **more: Any) -> WSMan:
        given: dict[str, Any] = {"auth": auth, "username": USER, "password": PASSWORD, "ssl": ssl}
        if ssl:
            given["cert_validation"] = self.ca
        port = HTTPS_PORT if ssl else self.fleet.node.port
        return WSMan(self.address, port=port, **{**given, **more})

    def echo(self, auth: str, *, ssl: bool, **more: Any) -> str:
        """Run a command with pypsrp; returns the account under which the node ran it."""
        with self.wsman(auth, ssl=ssl, **more) as connection, RunspacePool(connection) as pool:
            # More than one TLS record, both ways.
            long = "x" * 40_000
            assert PowerShell(pool).add_cmdlet("Get-Echo").add_parameter("Value", long).invoke() == [long]
        return str(self.fleet.node.seen[-1][1])

    def protocol(self, transport: Any, *, ssl: bool, **more: Any) -> Protocol:
        """Make a pywinrm connection."""
        scheme, port = ("https", HTTPS_PORT) if ssl else ("http", self.fleet.node.port)
        given: dict[str, Any] = {
            "username": USER,
            "password": PASSWORD,
            "ca_trust_path": self.ca if ssl else None,
        }
        return Protocol(f"{scheme}://{self.address}:{port}/wsman", transport=transport, **{**given, **more})

    def url(self, *, ssl: bool) -> str:
        port = HTTPS_PORT if ssl else self.fleet.node.port
        return f"http{'s' if ssl else ''}://{self.address}:{port}/wsman"


@contextlib.contextmanager
def running_site(folder: Path, logon: LogonSpec) -> Iterator[Site]:
    fleet = RunningFleet()
    node = fleet.node
    node.logon = logon
    if logon.https:
        subject = Subject(node.name, (node.address, HOST))
        own = folder / "lab" / "nodes" / node.name
        node.https_files = CertificateFiles(
            Authority(folder / "lab" / "certificates"), subject, logon.https, own
        )
    with fleet:
        yield Site(fleet, folder)


def client_certificate(folder: Path, name: str = "operator") -> tuple[str, str]:
    """Make a certificate a client may show, with its key; returns both paths."""
    key = generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(public), str(private)
