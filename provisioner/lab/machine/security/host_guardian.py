"""The client of a Host Guardian Service: how a host proves itself for shielded virtual machines.

A service attests the host when it is a node of the same lab that has the role; nobody else answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from provisioner.lab.machine.area import Area, command_not_found

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

FEATURE: Final = "HostGuardian"
SERVER_FEATURE: Final = "HostGuardianServiceRole"
_LOCAL, _SERVICE = "Local", "HostGuardianService"


class HostGuardian(Area["Machine"]):
    """A fresh host is in local mode."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._attestation = ""
        self._key_protection = ""

    def configuration(self) -> dict[str, Any]:
        """Give what Get-HgsClientConfiguration shows.

        Raises:
            MachineError: the feature is not installed.
        """
        self._demand("Get-HgsClientConfiguration")
        status = self._status()
        return {
            "Mode": _SERVICE if self._attestation else _LOCAL,
            "IsHostGuarded": status == "Passed",
            "AttestationStatus": status,
            "AttestationServerUrl": self._attestation,
            "KeyProtectionServerUrl": self._key_protection,
        }

    def turn_to(self, attestation: str, key_protection: str) -> None:
        """Let a service attest the host; two empty addresses mean local mode.

        Raises:
            MachineError: the feature is not installed.
        """
        self._demand("Set-HgsClientConfiguration")
        self._attestation, self._key_protection = attestation, key_protection
        self.owner.ledger.changed("host_guardian", attestation or "local mode")

    def _status(self) -> str:
        if not self._attestation:
            return "NotConfigured"
        server = self.owner.world.machine(urlsplit(self._attestation).hostname or "")
        if server is not None and server.is_up and server.features.is_installed(SERVER_FEATURE):
            return "Passed"
        return "TransientError"

    def _demand(self, cmdlet: str) -> None:
        self.owner.ledger.attempt(cmdlet)
        if not self.owner.features.is_installed(FEATURE):
            raise command_not_found(cmdlet)

    def to_plain(self) -> dict[str, str]:
        """Give both addresses."""
        return {"attestation": self._attestation, "key_protection": self._key_protection}

    def load(self, plain: dict[str, str]) -> None:
        """Take over what ``to_plain`` gave."""
        self._attestation = plain.get("attestation", "")
        self._key_protection = plain.get("key_protection", "")
