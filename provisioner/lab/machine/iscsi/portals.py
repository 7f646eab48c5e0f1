"""Portals of the target server: one for each address of the machine, each switched on until somebody says no."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.addresses import is_ip_address
from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.ground.iscsi import EXCEPTION
from provisioner.lab.machine.network.ip import LOOPBACK, Ip, spelled

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

PORT: Final = 3260


@dataclass(frozen=True, slots=True)
class TargetPortal:
    """One portal of the target server."""

    address: str
    port: int = PORT
    is_enabled: bool = True

    @property
    def endpoint(self) -> str:
        """Address and port as .NET writes an IPEndPoint."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class TargetPortals(Area["Machine"]):
    """Only portals that somebody changed are kept; the others follow the addresses of the adapters."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._changed: dict[str, TargetPortal] = {}

    def all(self, cmdlet: str = "Get-IscsiTargetServerSetting") -> list[TargetPortal]:
        """Give the portals, in the order of the addresses.

        Raises:
            MachineError: the target server is not there, or its service does not run.
        """
        self.owner.iscsi.demand(cmdlet)
        return self._portals()

    def set(self, address: str, *, port: int | None = None, is_enabled: bool | None = None) -> TargetPortal:
        """Change the portal of an address (Set-IscsiTargetServerSetting).

        Raises:
            MachineError: no adapter has the address.
        """
        there = {item.address: item for item in self.all("Set-IscsiTargetServerSetting")}
        found = there.get(spelled(address))
        if found is None:
            raise MachineError(
                f"The portal with the IP address '{address}' could not be found.",
                "ObjectNotFound",
                "ObjectNotFound",
                EXCEPTION,
            )
        if port is not None:
            found = replace(found, port=port)
        if is_enabled is not None:
            found = replace(found, is_enabled=is_enabled)
        self._changed[found.address] = found
        self.owner.ledger.changed("iscsi", f"portal {found.endpoint} enabled: {found.is_enabled}")
        return found

    def listening(self) -> list[TargetPortal]:
        """Give the portals that answer now: none while the target server does not run."""
        if not self.owner.iscsi.is_serving:
            return []
        return [item for item in self._portals() if item.is_enabled]

    def _portals(self) -> list[TargetPortal]:
        shown = [item.text for name, item in self.owner.area(Ip).addresses() if name != LOOPBACK]
        own = [self.owner.address] if is_ip_address(self.owner.address) else []
        found = dict.fromkeys(spelled(text) for text in (*own, *shown))
        return [self._changed.get(address, TargetPortal(address)) for address in found]

    def to_plain(self) -> Any:
        """Give the portals that somebody changed."""
        return [asdict(item) for item in self._changed.values()]

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._changed = {item["address"]: TargetPortal(**item) for item in plain}
