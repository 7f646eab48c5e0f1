"""Network adapters: physical ones from the machine's specification and the host's ports on virtual switches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from provisioner.lab.machine.area import Ledger


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter. ``guid`` with braces, ``mac`` as ``00-15-5D-..``; ``switch_id``: the switch it is bound to."""

    name: str
    description: str
    guid: str
    mac: str
    status: str = "Up"
    switch_id: str = ""
    is_virtual: bool = False


def physical(computer: str, number: int, name: str, description: str, status: str = "Up") -> Adapter:
    """Make an adapter whose GUID and MAC follow from the machine's name and its number there."""
    digest = hashlib.sha256(f"{computer}/{number}".encode()).hexdigest()
    guid = f"{{{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}}}".upper()
    mac = "-".join(["00", "15", "5D", digest[32:34], digest[34:36], digest[36:38]]).upper()
    return Adapter(name, description, guid, mac, status)


class Network:
    """Adapters in the order of their interface index."""

    def __init__(self, ledger: Ledger, adapters: Iterable[Adapter]) -> None:
        self._ledger = ledger
        self.adapters: list[Adapter] = list(adapters)

    def find(self, name: str) -> Adapter | None:
        """Look an adapter up by its name (connection alias)."""
        wanted = name.casefold()
        return next((item for item in self.adapters if item.name.casefold() == wanted), None)

    def described(self, description: str) -> Adapter | None:
        """Look an adapter up by its InterfaceDescription."""
        wanted = description.casefold()
        return next((item for item in self.adapters if item.description.casefold() == wanted), None)

    def add(self, adapter: Adapter) -> None:
        """Add an adapter at the end."""
        self.adapters.append(adapter)
        self._ledger.changed("network", f"{adapter.name} added")

    def remove(self, name: str) -> None:
        """Remove an adapter; a missing one is no matter."""
        self.adapters = [item for item in self.adapters if item.name.casefold() != name.casefold()]
        self._ledger.changed("network", f"{name} removed")

    def bind(self, name: str, switch_id: str) -> None:
        """Bind an adapter to a switch, or with an empty id to none."""
        wanted = name.casefold()
        self.adapters = [
            replace(item, switch_id=switch_id) if item.name.casefold() == wanted else item
            for item in self.adapters
        ]

    def to_plain(self) -> list[list[Any]]:
        """Give all adapters."""
        return [
            [item.name, item.description, item.guid, item.mac, item.status, item.switch_id, item.is_virtual]
            for item in self.adapters
        ]

    def load(self, plain: list[list[Any]]) -> None:
        """Take over what ``to_plain`` gave."""
        self.adapters = [Adapter(*item) for item in plain]
