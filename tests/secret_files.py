"""Put the secrets and certificates beside a copy of the example inventory that `provision lab up` would make there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.unit.secrets.certificate_files import make_certificate

NODES = ("hv01", "hv02", "hv03", "st01", "st02")
SECRETS = (*NODES, "rabbit", "keystone-nova", "keystone-placement", "keystone-neutron")


def write_secret_files(inventories: Path) -> None:
    """Write ``.secrets`` into the folder of the inventory: a password for each name, a certificate for each node."""
    now = datetime.now(UTC)
    certificates = inventories / ".secrets" / "certificates"
    certificates.mkdir(parents=True)
    for name in SECRETS:
        (certificates.parent / name).write_text(f"secret of {name}\n", encoding="utf-8")
    made = make_certificate(begins=now - timedelta(days=1), ends=now + timedelta(days=30))
    for node in NODES:
        (certificates / f"{node}.cer").write_bytes(made.encoded)
