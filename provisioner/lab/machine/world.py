"""What the nodes of a lab share: a directory of accounts, clusters, who finds whom by name.

State that belongs to no single machine lives here, in areas as on a machine. A machine alone has a world to
itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from provisioner.lab.machine.area import A, Areas, Ledger


class _Named(Protocol):
    name: str
    computer_name: str


M = TypeVar("M", bound=_Named)


class World(Generic[M]):
    """The world of one lab. ``ledger`` hears of every change to it."""

    def __init__(self, plain: Mapping[str, Any] | None = None) -> None:
        self.ledger = Ledger()
        self._machines: dict[str, M] = {}
        self._areas: Areas[World[M]] = Areas(self)
        if plain:
            self._areas.load(plain)

    def area(self, kind: type[A]) -> A:
        """Give the area of this kind."""
        return self._areas.get(kind)

    def join(self, machine: M) -> None:
        """Let the others find a machine; it is found by the computer name it has then."""
        self._machines[machine.name.casefold()] = machine

    def machine(self, computer_name: str) -> M | None:
        """Find a machine by its computer name, short or with a domain; None when there is no such machine."""
        wanted = computer_name.partition(".")[0].casefold()
        return next(
            (item for item in self._machines.values() if item.computer_name.casefold() == wanted), None
        )

    def machines(self) -> tuple[M, ...]:
        """Give all machines, in the order in which they came."""
        return tuple(self._machines.values())

    def to_plain(self) -> dict[str, Any]:
        """Give the state as JSON values."""
        return self._areas.to_plain()
