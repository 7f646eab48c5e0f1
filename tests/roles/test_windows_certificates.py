"""Real certificates, one in a .pfx file with its key, come into stores of a node; WinRM listens with one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.roles.site import Site, running_site

pytestmark = pytest.mark.slow

_PASSWORD = "opens-the-file"
_STORE = "machine.security.certificate_store:CertificateStore"


class _Made:
    """A certificate of a server with its key, signed by itself."""

    def __init__(self, name: str) -> None:
        key: RSAPrivateKey = generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        self._key = key
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )

    @property
    def thumbprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA1()).hex()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pfx(self) -> bytes:
        sealing = BestAvailableEncryption(_PASSWORD.encode())
        return pkcs12.serialize_key_and_certificates(b"x", self._key, self.certificate, None, sealing)


def _inventory(root: _Made, own: _Made) -> dict[str, Any]:
    variables = {
        "windows_certificates": [{"thumbprint": root.thumbprint, "path": r"C:\Setup\root.cer"}],
        "windows_pfx": [{"thumbprint": own.thumbprint, "path": r"C:\Setup\own.pfx"}],
        "windows_pfx_credential": {"user": "pfx", "password": "file:.secrets/pfx"},
        "windows_winrm_https_thumbprint": own.thumbprint,
    }
    return {
        "site": "test",
        "connection": {"port": 15985, "user": "provisioner", "password": "file:.secrets/lab"},
        "encryption": {"certificate": "certificates/"},
        "nodes": {"n1": {"address": "127.20.0.11", "roles": ["windows_base"], "variables": variables}},
    }


def _place(site: Site, root: _Made, own: _Made) -> None:
    """Put the files on the node, as somebody did before."""

    def write(machine: Any) -> None:
        machine.files.make_folder(r"C:\Setup")
        machine.files.write(r"C:\Setup\root.cer", root.der)
        machine.files.write(r"C:\Setup\own.pfx", own.pfx)

    site._on("n1", write)


def _stored(site: Site) -> dict[str, tuple[str, bool]]:
    return {
        each["thumbprint"].lower(): (each["store"].rpartition("\\")[2], each["has_private_key"])
        for each in site.state("n1", _STORE)
    }


def test_certificates_come_into_their_stores_and_winrm_listens_with_one(tmp_path: Path) -> None:
    root, own = _Made("root"), _Made("hv01.example.com")
    with running_site(tmp_path, _inventory(root, own), {"pfx": _PASSWORD}) as site:
        _place(site, root, own)
        first = site.apply()
        assert first.failures == [], first.text
        assert _stored(site) == {root.thumbprint: ("Root", False), own.thumbprint: ("My", True)}
        again = site.apply()
        assert (again.failures, again.sets["n1"]) == ([], [])

        # Without its key it counts as absent.
        kept = site.state("n1", _STORE)
        site.change("n1", _STORE, [{**each, "has_private_key": False} for each in kept])
        mended = site.apply()
        assert mended.failures == []
        assert mended.sets["n1"] == [f"[PfxImport]My {own.thumbprint}"]


def test_a_password_that_does_not_open_the_file_fails_the_node_and_is_not_told(tmp_path: Path) -> None:
    root, own = _Made("root"), _Made("hv01.example.com")
    with running_site(tmp_path, _inventory(root, own), {"pfx": "another-password"}) as site:
        _place(site, root, own)
        failed = site.apply()
        assert "requires either a different password" in failed.text
        assert "another-password" not in failed.text
        assert own.thumbprint not in _stored(site)
