"""Which domain a machine is a member of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_KEY: Final = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"


def domain_of(machine: Machine) -> str:
    """Give the DNS name of the domain; empty for a machine in a workgroup."""
    return str(machine.registry.get(_KEY, "Domain") or "")


def join_domain(machine: Machine, name: str) -> None:
    """Note the domain a machine is a member of now."""
    machine.registry.set(_KEY, "Domain", name)
