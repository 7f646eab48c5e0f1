"""The service's own settings, ``winrm/config``, as a Get returns them.

Source: recording of a real server (facts: wire, section 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape

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
    ``enumeration_timeout_s``. ``schemes`` are the ways to authenticate that are switched on, by their names
    here; ``channel_binding`` is the CbtHardeningLevel. ``endpoints`` are the session configurations of
    PowerShell by their names in lower case; None takes any name.
    """

    max_envelope_kb: int = 500
    max_timeout_s: float = 60.0
    idle_timeout_s: float = 7200.0
    max_idle_timeout_s: float = _UNLIMITED / 1000
    enumeration_timeout_s: float = 240.0
    max_batch_items: int = 32000
    quotas: Quotas = field(default_factory=Quotas)
    schemes: tuple[str, ...] = ("Negotiate", "Kerberos")
    allow_unencrypted: bool = False
    channel_binding: str = "Relaxed"
    https_port: int = 5986
    endpoints: frozenset[str] | None = None

    @property
    def max_envelope_bytes(self) -> int:
        """Largest request in bytes."""
        return self.max_envelope_kb * 1024


def _elements(values: Mapping[str, object]) -> str:
    return "".join(
        f"<cfg:{name}>{_elements(value) if isinstance(value, Mapping) else value}</cfg:{name}>"
        for name, value in values.items()
    )


_SCHEMES: Final = ("Basic", "Kerberos", "Negotiate", "Certificate", "CredSSP")
_PORTS: Final[dict[str, object]] = {"HTTP": 5985, "HTTPS": 5986}


def _values(settings: ServiceSettings) -> Mapping[str, object]:
    return {
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
            "AllowUnencrypted": str(settings.allow_unencrypted).lower(),
            "Auth": {
                **{name: str(name in settings.schemes).lower() for name in _SCHEMES},
                "CbtHardeningLevel": settings.channel_binding,
            },
            "DefaultPorts": {**_PORTS, "HTTPS": settings.https_port},
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


def config_body(settings: ServiceSettings, part: str = "") -> str:
    """Render ``<cfg:Config>``, or one part of it by its folded name (``service``); empty when there is none.

    The namespace of a part ends with its name (assumption: as that of the whole is its resource URI).
    """
    values = _values(settings)
    if not part:
        return f'<cfg:Config xmlns:cfg="{ns.CONFIG}">{_elements(values)}</cfg:Config>'
    names = [*part.split("/")]
    inner: object = values
    found = ""
    for wanted in names:
        match = (
            next((name for name in inner if name.casefold() == wanted), "")
            if isinstance(inner, Mapping)
            else ""
        )
        if not match or not isinstance(inner, Mapping):
            return ""
        found, inner = match, inner[match]
    if not isinstance(inner, Mapping):
        return ""
    return f'<cfg:{found} xmlns:cfg="{ns.CONFIG}/{part}">{_elements(inner)}</cfg:{found}>'


def listener_body(address: str) -> str:
    """Render the listener through which a request came; ``address`` is what it was sent to."""
    scheme, _, rest = address.partition("://")
    host, _, port = rest.partition("/")[0].rpartition(":")
    is_https = scheme.casefold() == "https"
    values: dict[str, object] = {
        "Address": "*",
        "Transport": "HTTPS" if is_https else "HTTP",
        "Port": port if port.isdigit() else _PORTS["HTTPS" if is_https else "HTTP"],
        "Hostname": "",
        "Enabled": "true",
        "URLPrefix": "wsman",
        "CertificateThumbprint": "",
        "ListeningOn": escape(host),
    }
    return f'<cfg:Listener xmlns:cfg="{ns.CONFIG}/listener">{_elements(values)}</cfg:Listener>'
