"""Listeners and service settings of WinRM, as the drive WSMan: shows them.

What is listed here is configuration: the sockets of a simulated node are opened by whoever serves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_HTTPS_PORT: Final = 5986
#: WSMan:\localhost\Service of a fresh server; everything there is text.
_SERVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "RootSDDL": "O:NSG:BAD:P(A;;GA;;;BA)(A;;GR;;;IU)S:P(AU;FA;GA;;;WD)(AU;SA;GXGW;;;WD)",
        "MaxConcurrentOperations": "4294967295",
        "MaxConcurrentOperationsPerUser": "1500",
        "EnumerationTimeoutMS": "240000",
        "MaxConnections": "300",
        "MaxPacketRetrievalTimeSeconds": "120",
        "AllowUnencrypted": "false",
        "AuthBasic": "false",
        "AuthKerberos": "true",
        "AuthNegotiate": "true",
        "AuthCertificate": "false",
        "AuthCredSSP": "false",
        "AuthCbtHardeningLevel": "Relaxed",
        "EnableCompatibilityHttpListener": "false",
        "EnableCompatibilityHttpsListener": "false",
        "CertificateThumbprint": "",
        "AllowRemoteAccess": "true",
    }
)


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener. ``source`` is Compatibility for those of the old ports; the port is text, as in Windows."""

    address: str
    transport: str
    port: str
    hostname: str = ""
    thumbprint: str = ""
    source: str = ""
    enabled: str = "true"
    url_prefix: str = "wsman"


class Listeners(Area["Machine"]):
    """Listeners in the order of their making, and the settings of the service."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        transport = "HTTPS" if owner.port == _HTTPS_PORT else "HTTP"
        self._listeners = [Listener("*", transport, str(owner.port))]
        self._changed: dict[str, str] = {}
        #: Settings that a group policy governs: setting them is refused.
        self.governed: tuple[str, ...] = ()

    def all(self) -> list[Listener]:
        """All listeners (winrm/config/Listener)."""
        self.owner.ledger.attempt("Get-WSManInstance")
        return list(self._listeners)

    def add(self, listener: Listener) -> None:
        """Make a listener (New-WSManInstance)."""
        self.owner.ledger.attempt("New-WSManInstance")
        self._listeners.append(listener)
        self.owner.ledger.changed("wsman", f"listener {listener.transport} {listener.port} made")

    def remove(self, listener: Listener) -> None:
        """Remove a listener (Remove-WSManInstance)."""
        self.owner.ledger.attempt("Remove-WSManInstance")
        self._listeners.remove(listener)
        self.owner.ledger.changed("wsman", f"listener {listener.transport} {listener.port} removed")

    def adopt(self, listeners: list[Listener]) -> None:
        """Take over listeners as they are, in place of all there were."""
        self._listeners = list(listeners)

    def service(self) -> dict[str, str]:
        """Give the settings of the service."""
        return {**_SERVICE, **self._changed}

    def set_service(self, name: str, value: str) -> None:
        """Change a setting of the service (Set-Item WSMan:).

        Raises:
            MachineError: a group policy governs it.
        """
        self.owner.ledger.attempt("Set-Item")
        if name in self.governed:
            raise MachineError(
                f"The WinRM service cannot process the request because the setting {name} is controlled by "
                "policies and cannot be changed.",
                "SetItemDynamicParametersProviderException",
                "InvalidOperation",
                "System.InvalidOperationException",
            )
        self._changed[name] = value
        self.owner.ledger.changed("wsman", f"{name} set")

    def to_plain(self) -> Any:
        """Give listeners and what was changed."""
        return {
            "listeners": [asdict(item) for item in self._listeners],
            "service": self._changed,
            "governed": list(self.governed),
        }

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        if "listeners" in plain:
            self._listeners = [Listener(**item) for item in plain["listeners"]]
        self._changed = dict(plain.get("service", {}))
        self.governed = tuple(plain.get("governed", ()))
