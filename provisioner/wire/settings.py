"""The service's own settings, ``winrm/config``, as a Get returns them.

Source: recording of a real server (facts: wire, section 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from provisioner.wire import namespaces as ns

_UNLIMITED: Final = 2147483647


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much one user, and all of them, may have open at a time; Windows Server 2016 to 2025 by default.

    An operation is a shell, a command that was not signalled after its end, or a request that waits.
    """

    max_shells_per_user: int = _UNLIMITED
    max_concurrent_users: int = _UNLIMITED
    max_processes_per_shell: int = _UNLIMITED
    max_operations_per_user: int = 1500


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """What can be set per node; the rest has Windows' defaults.

    ``max_envelope_kb`` limits requests; Windows counts a kilobyte as 1024 bytes here. ``max_timeout_s`` bounds
    the OperationTimeout of a request, ``idle_timeout_s`` is what a shell gets that asks for none,
    ``max_idle_timeout_s`` what it may ask for. An enumeration nobody pulls from ends after
    ``enumeration_timeout_s``.
    """

    max_envelope_kb: int = 500
    max_timeout_s: float = 60.0
    idle_timeout_s: float = 7200.0
    max_idle_timeout_s: float = _UNLIMITED / 1000
    enumeration_timeout_s: float = 240.0
    max_batch_items: int = 32000
    quotas: Quotas = field(default_factory=Quotas)

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


def config_body(settings: ServiceSettings) -> str:
    """Render ``<cfg:Config>``."""
    values: dict[str, object] = {
        "MaxEnvelopeSizekb": settings.max_envelope_kb,
        "MaxTimeoutms": int(settings.max_timeout_s * 1000),
        "MaxBatchItems": settings.max_batch_items,
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
            "MaxConcurrentOperationsPerUser": settings.quotas.max_operations_per_user,
            "EnumerationTimeoutms": int(settings.enumeration_timeout_s * 1000),
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
            "MaxConcurrentUsers": settings.quotas.max_concurrent_users,
            "MaxShellRunTime": _UNLIMITED,
            "MaxProcessesPerShell": settings.quotas.max_processes_per_shell,
            "MaxMemoryPerShellMB": _UNLIMITED,
            "MaxShellsPerUser": settings.quotas.max_shells_per_user,
        },
    }
    return f'<cfg:Config xmlns:cfg="{ns.CONFIG}">{_elements(values)}</cfg:Config>'
