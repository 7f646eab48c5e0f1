"""The service's own settings, ``winrm/config``, as a Get returns them.

Source: recording of a real server (facts: wire, section 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from provisioner.wire import namespaces as ns


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What can be set per node; the rest has Windows' defaults.

    ``max_envelope_kb`` limits requests; Windows counts a kilobyte as 1024 bytes here. ``max_timeout_s`` bounds
    the OperationTimeout of a request, ``idle_timeout_s`` is what a shell gets that asks for none.
    """

    max_envelope_kb: int = 500
    max_timeout_s: float = 60.0
    idle_timeout_s: float = 7200.0

    @property
    def max_envelope_bytes(self) -> int:
        """Largest request in bytes."""
        return self.max_envelope_kb * 1024


def _elements(values: dict[str, object]) -> str:
    return "".join(
        f"<cfg:{name}>{_elements(value) if isinstance(value, dict) else value}</cfg:{name}>"
        for name, value in values.items()
    )


_PORTS: Final[dict[str, object]] = {"HTTP": 5985, "HTTPS": 5986}
_UNLIMITED: Final = 2147483647


def config_body(settings: ServiceSettings) -> str:
    """Render ``<cfg:Config>``."""
    values: dict[str, object] = {
        "MaxEnvelopeSizekb": settings.max_envelope_kb,
        "MaxTimeoutms": int(settings.max_timeout_s * 1000),
        "MaxBatchItems": 32000,
        "MaxProviderRequests": 4294967295,
        "Client": {
            "NetworkDelayms": 5000,
            "URLPrefix": "wsman",
            "AllowUnencrypted": "false",
            "Auth": {
                "Basic": "true",
                "Digest": "true",
                "Kerberos": "true",
                "Negotiate": "true",
                "Certificate": "true",
                "CredSSP": "false",
            },
            "DefaultPorts": _PORTS,
            "TrustedHosts": "",
        },
        "Service": {
            "RootSDDL": "O:NSG:BAD:P(A;;GA;;;BA)(A;;GR;;;IU)S:P(AU;FA;GA;;;WD)(AU;SA;GXGW;;;WD)",
            "MaxConcurrentOperations": 4294967295,
            "MaxConcurrentOperationsPerUser": 1500,
            "EnumerationTimeoutms": 240000,
            "MaxConnections": 300,
            "MaxPacketRetrievalTimeSeconds": 120,
            "AllowUnencrypted": "false",
            "Auth": {
                "Basic": "false",
                "Kerberos": "true",
                "Negotiate": "true",
                "Certificate": "false",
                "CredSSP": "false",
                "CbtHardeningLevel": "Relaxed",
            },
            "DefaultPorts": _PORTS,
            "IPv4Filter": "*",
            "IPv6Filter": "*",
            "EnableCompatibilityHttpListener": "false",
            "EnableCompatibilityHttpsListener": "false",
            "CertificateThumbprint": "",
            "AllowRemoteAccess": "true",
        },
        "Winrs": {
            "AllowRemoteShellAccess": "true",
            "IdleTimeout": int(settings.idle_timeout_s * 1000),
            "MaxConcurrentUsers": _UNLIMITED,
            "MaxShellRunTime": _UNLIMITED,
            "MaxProcessesPerShell": _UNLIMITED,
            "MaxMemoryPerShellMB": _UNLIMITED,
            "MaxShellsPerUser": _UNLIMITED,
        },
    }
    return f'<cfg:Config xmlns:cfg="{ns.CONFIG}">{_elements(values)}</cfg:Config>'
