"""The networks over which a host takes virtual machines, and where it listens for them."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.cluster.cluster import Clusters
from provisioner.lab.machine.hyperv.host import VirtualizationHost
from provisioner.lab.machine.network.ip import LOOPBACK, Ip

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

_EXCEPTION: Final = "Microsoft.HyperV.PowerShell.VirtualizationException"


class MigrationNetworks(Area["Machine"]):
    """Networks in the order in which they were added, as Windows writes them."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._networks: list[str] = []

    def all(self) -> list[str]:
        """Give all networks (Get-VMMigrationNetwork).

        Raises:
            MachineError: Hyper-V does not answer.
        """
        self.owner.ledger.attempt("Get-VMMigrationNetwork")
        self.owner.hyperv.demand_active()
        return list(self._networks)

    def add(self, subnet: str) -> None:
        """Take machines over a network too (Add-VMMigrationNetwork).

        Raises:
            MachineError: it is no network, is there already, or the host is a node of a cluster.
        """
        self._may_change("Add-VMMigrationNetwork")
        try:
            network = str(ipaddress.ip_network(subnet, strict=False))
        except ValueError:
            raise _refusal(f"The subnet '{subnet}' is not valid.", "InvalidArgument") from None
        if network in self._networks:
            raise _refusal(f"The migration network '{network}' exists already.", "ResourceExists")
        self._networks.append(network)
        self.owner.ledger.changed("migration_networks", f"{network} added")

    def remove(self, subnet: str) -> None:
        """Take no machines over a network any more (Remove-VMMigrationNetwork).

        Raises:
            MachineError: there is no such network, or the host is a node of a cluster.
        """
        self._may_change("Remove-VMMigrationNetwork")
        if subnet not in self._networks:
            raise _refusal(f"There is no migration network '{subnet}'.", "ObjectNotFound")
        self._networks.remove(subnet)
        self.owner.ledger.changed("migration_networks", f"{subnet} removed")

    def listeners(self) -> list[str]:
        """Give the addresses on which the host waits for machines: none while migration is off.

        A node of a cluster waits on all of its addresses: which ones the cluster chooses is not simulated.
        """
        if not self.owner.hyperv.is_active:
            return []
        settings = self.owner.area(VirtualizationHost).settings()
        if not settings["VirtualMachineMigrationEnabled"]:
            return []
        own = [item.text for alias, item in self.owner.area(Ip).addresses() if alias != LOOPBACK]
        if settings["UseAnyNetworkForMigration"] or self._is_clustered:
            return own
        networks = [ipaddress.ip_network(item, strict=False) for item in self._networks]
        return [item for item in own if any(ipaddress.ip_address(item) in network for network in networks)]

    @property
    def _is_clustered(self) -> bool:
        return self.owner.world.area(Clusters).of(self.owner) is not None

    def _may_change(self, cmdlet: str) -> None:
        self.owner.ledger.attempt(cmdlet)
        self.owner.hyperv.demand_active()
        if self._is_clustered:
            raise _refusal(
                "The networks of live migration cannot be changed on a node of a failover cluster.",
                "InvalidOperation",
            )

    def to_plain(self) -> dict[str, list[str]]:
        """Give the networks."""
        return {"networks": self._networks}

    def load(self, plain: dict[str, list[str]]) -> None:
        """Take over what ``to_plain`` gave."""
        self._networks = list(plain.get("networks", ()))


def _refusal(message: str, category: str) -> MachineError:
    return MachineError(message, "OperationFailed", category, _EXCEPTION)
