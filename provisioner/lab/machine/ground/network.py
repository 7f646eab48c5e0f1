"""Network adapters: physical ones from the machine's specification and the host's ports on virtual switches."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from provisioner.lab.machine.area import Ledger, MachineError

#: Interface index of the first adapter; the loop-back interface is the one before it.
_FIRST_INDEX = 2


@dataclass(frozen=True, slots=True)
class Adapter:
    """One adapter. ``guid`` with braces, ``mac`` as ``00-15-5D-..``; ``switch_id``: the switch it is bound to.

    ``media`` is its PhysicalMediaType, ``driver`` its DriverDescription, ``index`` its interface index (0: that of
    its place). ``team`` names the team (LBFO) it is a member of; ``is_team`` is the adapter that a team makes.
    ``vlan`` is that of a port of the host on a switch; 0 is untagged.
    """

    name: str
    description: str
    guid: str
    mac: str
    status: str = "Up"
    switch_id: str = ""
    is_virtual: bool = False
    media: str = "802.3"
    driver: str = ""
    index: int = 0
    team: str = ""
    is_team: bool = False
    vlan: int = 0

    @property
    def is_nic(self) -> bool:
        """Whether it is a piece of hardware."""
        return not self.is_virtual and not self.is_team

    @property
    def driver_description(self) -> str:
        """Description of the driver: that of the adapter without its number."""
        return self.driver or re.sub(r" #\d+$", "", self.description)


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

    def index_of(self, adapter: Adapter) -> int:
        """Give the interface index of an adapter."""
        return adapter.index or self.adapters.index(adapter) + _FIRST_INDEX

    def numbered(self, index: int) -> Adapter | None:
        """Look an adapter up by its interface index."""
        return next((item for item in self.adapters if self.index_of(item) == index), None)

    @property
    def management(self) -> Adapter | None:
        """The adapter that carries the address of the machine.

        It is the first physical one that is up; below a virtual switch or a team its place is taken by the host's
        port or the adapter of the team, and without a port by none.
        """
        return self.carrier(
            next((item for item in self.adapters if item.status == "Up" and item.is_nic), None)
        )

    def carrier(self, adapter: Adapter | None) -> Adapter | None:
        """Find what carries the addresses of an adapter now: itself, or what it is bound to; None for nothing."""
        if adapter and adapter.team:
            team = adapter.team.casefold()
            above = (item for item in self.adapters if item.is_team and item.team.casefold() == team)
            return self.carrier(next(above, None)) if not adapter.is_team else self._port_of(adapter)
        return self._port_of(adapter)

    def _port_of(self, adapter: Adapter | None) -> Adapter | None:
        if adapter is None or not adapter.switch_id or adapter.is_virtual:
            return adapter
        ports = (item for item in self.adapters if item.is_virtual and item.switch_id == adapter.switch_id)
        return next(ports, None)

    def change(self, name: str, /, **changes: Any) -> None:
        """Change fields of an adapter; the names are those of ``Adapter``."""
        wanted = name.casefold()
        self.adapters = [
            replace(item, **changes) if item.name.casefold() == wanted else item for item in self.adapters
        ]
        self._ledger.changed("network", f"{name}: {', '.join(changes)} set")

    def rename(self, name: str, new_name: str) -> None:
        """Rename an adapter.

        Raises:
            MachineError: another adapter has the new name.
        """
        self._ledger.attempt("Rename-NetAdapter")
        other = self.find(new_name)
        if other and other.name.casefold() != name.casefold():
            raise MachineError(
                "{Object Exists} An attempt was made to create an object and the object name already existed.",
                "Windows System Error 698",
                "ResourceExists",
                "Microsoft.Management.Infrastructure.CimException",
            )
        self.change(name, name=new_name)

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
        """Give all adapters: their fields in order, without those at the end that are as in a new one."""
        return [_plain(item) for item in self.adapters]

    def load(self, plain: list[list[Any]]) -> None:
        """Take over what ``to_plain`` gave."""
        self.adapters = [Adapter(*item) for item in plain]


def _plain(adapter: Adapter) -> list[Any]:
    fields = dataclasses.fields(adapter)
    values = [getattr(adapter, field.name) for field in fields]
    while values and values[-1] == fields[len(values) - 1].default:
        values.pop()
    return values
