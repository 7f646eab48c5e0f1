"""Ask how a host proves itself for shielded virtual machines, and whether it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.transport.base import Pipeline
from provisioner.verify.question import AskedNode, only_row, table_of, text_of

if TYPE_CHECKING:
    from provisioner.transport.base import Record

TABLE = Pipeline.of("Get-HgsClientConfiguration")


class HostGuardian:
    """The Host Guardian Service's client of one node. Without its feature every question raises CommandError."""

    def __init__(self, asked: AskedNode) -> None:
        self._asked = asked

    def __repr__(self) -> str:
        return f"<host guardian on {self._asked.node}>"

    @property
    def mode(self) -> str:
        """Return HostGuardianService or Local."""
        return text_of(self._row["Mode"])

    @property
    def attestation_url(self) -> str:
        """Return the address of the attestation service; empty in local mode."""
        return text_of(self._row["AttestationServerUrl"])

    @property
    def key_protection_url(self) -> str:
        """Return the address of the key protection service; empty in local mode."""
        return text_of(self._row["KeyProtectionServerUrl"])

    @property
    def is_guarded(self) -> bool:
        """Whether the host was attested."""
        return bool(self._row["IsHostGuarded"])

    @property
    def attestation_status(self) -> str:
        """Return how the last attestation ended."""
        return text_of(self._row["AttestationStatus"])

    @property
    def _row(self) -> Record:
        rows = table_of(self._asked, TABLE)
        return only_row(self._asked.node, rows, "guarded host's client")
