"""Put Windows machines into an OpenStack cloud: compile DSC on Linux, push it, own the reboots, verify.

Only the names in ``__all__`` are promised. They load on first use, so that importing the package is cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "addresses": ("Endpoint", "NodeName", "ResourceId", "RoleName", "SecretRef"),
    "configuration.model": ("Artifact", "Configuration", "Resource"),
    "diagnostics": ("Diagnostic", "Diagnostics", "SourceRange"),
    "engine.executor": ("RunSummary",),
    "errors": (
        "AuthenticationError",
        "CommandError",
        "ConnectError",
        "InputError",
        "LcmError",
        "LocalProtocolError",
        "LockHeld",
        "NodeError",
        "ProvisionerError",
        "RebootRefused",
        "RebootTimeout",
        "RemoteProtocolError",
        "SchemaTooNew",
        "SecretError",
        "StateError",
        "TransportError",
        "TransportTimeout",
        "UsageError",
    ),
    "events": ("Event", "Recorded"),
    "inventory.model": ("Inventory", "Node"),
    "project": ("ApplyRequest", "Compilation", "Project"),
    "reports.base": ("Reporter",),
    "roles.model": ("Role",),
    "state.base": ("StateStore",),
    "transport.base": ("Command", "Pipeline", "Result", "Transport"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - the stub file beside this one spells the names out


def __getattr__(name: str) -> Any:
    """Load a promised name from its home."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'provisioner' has no attribute '{name}'")
    return getattr(import_module(f"provisioner.{_HOME_OF[name]}"), name)
