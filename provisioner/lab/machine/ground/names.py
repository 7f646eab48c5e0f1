"""The computer name: the active one, and the one the next boot makes active. The registry holds both."""

from __future__ import annotations

from typing import Final

from provisioner.lab.machine.ground.registry import Registry

_KEYS: Final = r"SYSTEM\CurrentControlSet\Control\ComputerName"
ACTIVE: Final = rf"{_KEYS}\ActiveComputerName"
PENDING: Final = rf"{_KEYS}\ComputerName"
_VALUE: Final = "ComputerName"


def seed(registry: Registry, name: str) -> None:
    """Give a new machine its name."""
    registry.set(ACTIVE, _VALUE, name)
    registry.set(PENDING, _VALUE, name)


def active(registry: Registry, name: str) -> str:
    """Give the name since the last boot; ``name`` when the registry knows none."""
    return str(registry.get(ACTIVE, _VALUE) or name)


def pending(registry: Registry, name: str) -> str:
    """Give the name from the next boot on."""
    return str(registry.get(PENDING, _VALUE) or name)


def request(registry: Registry, name: str) -> None:
    """Let the next boot make ``name`` the active one."""
    registry.set(PENDING, _VALUE, name)


def boot(registry: Registry, name: str) -> str:
    """Make the pending name the active one, and give it."""
    taken = pending(registry, name)
    if taken != active(registry, name):
        registry.set(ACTIVE, _VALUE, taken)
    return taken
