"""Failover clusters: one list of them for all nodes of a lab.

A node is named by its computer name; what Windows keeps in the cluster database, all nodes see at once. A cluster
without a node is gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError, command_not_found
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.storage.disks import Disks

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine
    from provisioner.lab.machine.world import World

FEATURE: Final = "Failover-Clustering"
SERVICE: Final = "ClusSvc"
#: Module of the cmdlets; without it there are none.
MODULE_FEATURE: Final = "RSAT-Clustering-PowerShell"
_TYPES: Final = "Microsoft.FailoverClusters.PowerShell."
_EXCEPTION: Final = _TYPES + "ClusterCmdletException"
CSV_ROOT: Final = "C:\\ClusterStorage\\"
#: Common properties of a new cluster; names are those of Get-Cluster.
_PROPERTIES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "AddEvictDelay": 60,
        "BlockCacheSize": 1024,
        "ClusterLogLevel": 3,
        "ClusterLogSize": 1500,
        "CrossSiteDelay": 1000,
        "CrossSiteThreshold": 20,
        "CrossSubnetDelay": 1000,
        "CrossSubnetThreshold": 20,
        "DatabaseReadWriteMode": 0,
        "DefaultNetworkRole": 2,
        "Description": "",
        "DrainOnShutdown": 1,
        "DynamicQuorum": 1,
        "NetftIPSecEnabled": 1,
        "PreferredSite": "",
        "QuarantineDuration": 7200,
        "QuarantineThreshold": 3,
        "ResiliencyDefaultPeriod": 240,
        "ResiliencyLevel": 2,
        "SameSubnetDelay": 1000,
        "SameSubnetThreshold": 20,
        "ShutdownTimeoutInMinutes": 20,
    }
)


@dataclass(slots=True)
class ClusterDisk:
    """A disk of a cluster.

    ``id`` is the GUID of its partition table, ``source`` the unique id of the disk; ``volume`` its folder below
    ``CSV_ROOT`` when it is a Cluster Shared Volume. ``state`` as ClusterResourceState has it.
    """

    name: str
    id: str
    source: str
    volume: str = ""
    state: str = "Online"


@dataclass(slots=True)
class Quorum:
    """How votes are counted. ``type`` as QuorumType has it; ``resource_type`` is the display name of a witness.

    ``parameter`` is what the witness is about: a share, the name of a storage account.
    """

    type: str = "Majority"
    resource_type: str | None = None
    resource_name: str | None = None
    parameter: str | None = None


@dataclass(slots=True)
class Cluster:
    """One cluster. ``nodes``: computer names and states (Up, Down, Paused, Joining), in the order of joining."""

    name: str
    address: str | None = None
    domain: str = ""
    nodes: list[tuple[str, str]] = field(default_factory=list)
    quorum: Quorum = field(default_factory=Quorum)
    disks: list[ClusterDisk] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Id of the cluster."""
        digest = hashlib.sha256(f"cluster/{self.name.casefold()}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

    def state_of(self, computer: str) -> str | None:
        """State of a node; None when it is no member."""
        return next((state for name, state in self.nodes if name.casefold() == computer.casefold()), None)

    def values(self) -> dict[str, Any]:
        """Give all common properties."""
        return {**_PROPERTIES, **self.properties}


class Clusters(Area["World[Machine]"]):
    """All clusters of the lab."""

    def __init__(self, owner: World[Machine]) -> None:
        super().__init__(owner)
        self.clusters: list[Cluster] = []
        #: What Get-Cluster does with a name that nobody has: throw, (write an) error, or (give) nothing. Which of
        #: these Windows does is not known; resources take all of them for "absent".
        self.unknown_name = "throw"

    def find(self, asking: Machine, name: str | None = None) -> Cluster | None:
        """Find a cluster by name, or the one the asking machine is a member of (Get-Cluster).

        Raises:
            MachineError: there is none; the service of the node does not run; no cmdlets.
        """
        demand_module(asking, "Get-Cluster")
        asking.ledger.attempt("Get-Cluster")
        if name is None:
            return self.own(asking)
        asking.ledger.attempt("Get-Cluster -Name")
        wanted = name.partition(".")[0].casefold()
        for cluster in self.clusters:
            if cluster.name.casefold() == wanted and (
                not cluster.nodes or any(state != "Down" for _, state in self.states(cluster))
            ):
                return cluster
        if self.unknown_name == "nothing":
            return None
        raise MachineError(
            "Check the spelling of the cluster name. Otherwise, there might be a problem with your network. Make "
            "sure the cluster nodes are turned on and connected to the network or contact your network "
            f"administrator.\n    The RPC server is unavailable: {name}",
            "Get-Cluster",
            "ObjectNotFound",
            is_terminating=self.unknown_name == "throw",
        )

    def own(self, asking: Machine) -> Cluster:
        """Give the cluster of the asking machine, as all cmdlets find it that are given none.

        Raises:
            MachineError: there is none; the service of the node does not run.
        """
        found = self.of(asking)
        if found is None or self._state(asking.computer_name, "Up") == "Down":
            raise service_error(asking.computer_name)
        return found

    def states(self, cluster: Cluster) -> list[tuple[str, str]]:
        """Give the nodes with their states now: one whose service does not run is down."""
        return [(name, self._state(name, state)) for name, state in cluster.nodes]

    def _state(self, computer: str, state: str) -> str:
        machine = self.owner.machine(computer)
        service = machine.services.find(SERVICE) if machine else None
        return "Down" if state == "Up" and service is not None and service.status != "Running" else state

    def of(self, machine: Machine) -> Cluster | None:
        """Give the cluster a machine is a member of."""
        return next(
            (item for item in self.clusters if item.state_of(machine.computer_name) is not None), None
        )

    def create(self, machine: Machine, name: str, address: str | None = None) -> Cluster:
        """Form a cluster of one node (New-Cluster -NoStorage).

        Raises:
            MachineError: not in a domain, no feature, member of a cluster already, or the name is taken.
        """
        demand_module(machine, "New-Cluster")
        machine.ledger.attempt("New-Cluster")
        _demand_feature(machine)
        if not machine.area(Identity).domain:
            raise _refusal(
                "New-Cluster",
                f"The computer '{machine.computer_name}' is not joined to a domain.",
                "InvalidOperation",
            )
        if self.of(machine):
            raise _refusal(
                "New-Cluster",
                f"The computer '{machine.computer_name}' is joined to a cluster.",
                "ResourceExists",
            )
        if any(item.name.casefold() == name.casefold() for item in self.clusters):
            raise _refusal(
                "New-Cluster",
                f"An error occurred while creating the cluster '{name}'. The name is in use already.",
                "ResourceExists",
            )
        made = Cluster(name, address, machine.area(Identity).domain, [(machine.computer_name, "Up")])
        self.clusters.append(made)
        _start_service(machine)
        self.owner.ledger.changed("clusters", f"{name} formed by {machine.computer_name}")
        return made

    def add(self, asking: Machine, cluster: Cluster, computer: str) -> None:
        """Let a machine join (Add-ClusterNode). A member may join again: there are two entries of it then.

        Raises:
            MachineError: there is no such machine, or it has no feature.
        """
        asking.ledger.attempt("Add-ClusterNode")
        joining = self.owner.machine(computer)
        if joining is None:
            raise _refusal(
                "Add-ClusterNode", f"The computer '{computer}' could not be reached.", "ConnectionError"
            )
        _demand_feature(joining)
        cluster.nodes.append((joining.computer_name, "Up"))
        _start_service(joining)
        for disk in cluster.disks:
            if disk.volume:
                _mount(joining, disk)
        self.owner.ledger.changed("clusters", f"{joining.computer_name} joined {cluster.name}")

    def pause(self, asking: Machine, cluster: Cluster, computer: str) -> None:
        """Move what runs on a node away and let nothing come back (Suspend-ClusterNode -Drain -Wait)."""
        asking.ledger.attempt("Suspend-ClusterNode")
        cluster.nodes = [
            (name, "Paused" if name.casefold() == computer.casefold() else state)
            for name, state in cluster.nodes
        ]
        self.owner.ledger.changed("clusters", f"{computer} of {cluster.name} paused")

    def remove(self, asking: Machine, cluster: Cluster, computer: str) -> None:
        """Evict a node (Remove-ClusterNode -Force); with the last one the cluster goes.

        Raises:
            MachineError: it is no member.
        """
        asking.ledger.attempt("Remove-ClusterNode")
        if cluster.state_of(computer) is None:
            raise _refusal("Remove-ClusterNode", f"The node '{computer}' was not found.", "ObjectNotFound")
        cluster.nodes = [item for item in cluster.nodes if item[0].casefold() != computer.casefold()]
        leaving = self.owner.machine(computer)
        if leaving is not None:
            leaving.files.remove(CSV_ROOT.rstrip("\\"))
            if leaving.services.find(SERVICE):
                leaving.services.change(SERVICE, start_mode="Disabled", status="Stopped")
        if not cluster.nodes:
            self.clusters.remove(cluster)
        self.owner.ledger.changed("clusters", f"{computer} left {cluster.name}")

    def set_quorum(self, asking: Machine, cluster: Cluster, quorum: Quorum) -> None:
        """Count votes in another way (Set-ClusterQuorum).

        Raises:
            MachineError: the disk that is to be the witness is none of the cluster.
        """
        asking.ledger.attempt("Set-ClusterQuorum")
        if quorum.resource_type == "Physical Disk" and not any(
            disk.name.casefold() == (quorum.resource_name or "").casefold() for disk in cluster.disks
        ):
            raise _refusal(
                "Set-ClusterQuorum",
                f"There is no disk '{quorum.resource_name}' in available storage of the cluster.",
                "ObjectNotFound",
            )
        cluster.quorum = quorum
        self.owner.ledger.changed("clusters", f"quorum of {cluster.name} set")

    def set_properties(self, asking: Machine, cluster: Cluster, values: Mapping[str, Any]) -> None:
        """Change common properties.

        Raises:
            MachineError: Windows knows no such property.
        """
        asking.ledger.attempt("Set-ClusterProperty")
        known = {name.casefold(): name for name in _PROPERTIES}
        for name, value in values.items():
            if name.casefold() not in known:
                raise MachineError(
                    f"The property '{name}' cannot be found on this object. Verify that the property exists and "
                    "can be set.",
                    "PropertyNotFound",
                    "InvalidOperation",
                    "System.Management.Automation.RuntimeException",
                    is_terminating=True,
                )
            cluster.properties[known[name.casefold()]] = value
        self.owner.ledger.changed("clusters", f"properties of {cluster.name} set")

    def add_disk(self, asking: Machine, cluster: Cluster, disk_id: str, source: str) -> ClusterDisk:
        """Take an available disk into the cluster (Add-ClusterDisk)."""
        asking.ledger.attempt("Add-ClusterDisk")
        number = next(
            one
            for one in range(1, len(cluster.disks) + 2)
            if not any(disk.name == f"Cluster Disk {one}" for disk in cluster.disks)
        )
        made = ClusterDisk(f"Cluster Disk {number}", disk_id, source)
        cluster.disks.append(made)
        self.owner.ledger.changed("clusters", f"{made.name} added to {cluster.name}")
        return made

    def has_disk(self, unique_id: str) -> bool:
        """Whether a disk belongs to any cluster."""
        return any(disk.source == unique_id for cluster in self.clusters for disk in cluster.disks)

    def rename_disk(self, cluster: Cluster, disk: ClusterDisk, name: str) -> None:
        """Give a disk of a cluster another name."""
        disk.name = name
        self.owner.ledger.changed("clusters", f"disk of {cluster.name} is {name}")

    def remove_disk(self, asking: Machine, cluster: Cluster, disk: ClusterDisk) -> None:
        """Take a disk out of a cluster (Remove-ClusterResource -Force)."""
        asking.ledger.attempt("Remove-ClusterResource")
        cluster.disks.remove(disk)
        self.owner.ledger.changed("clusters", f"{disk.name} removed from {cluster.name}")

    def share(self, asking: Machine, cluster: Cluster, name: str) -> None:
        """Make a disk in available storage a Cluster Shared Volume (Add-ClusterSharedVolume).

        Raises:
            MachineError: there is no such disk, or it has no file system.
        """
        asking.ledger.attempt("Add-ClusterSharedVolume")
        disk = next((item for item in cluster.disks if item.name.casefold() == name.casefold()), None)
        if disk is None or disk.volume:
            raise _refusal(
                "Add-ClusterSharedVolume",
                f"The disk '{name}' is not in available storage of cluster '{cluster.name}'.",
                "ObjectNotFound",
            )
        here = next((item for item in asking.area(Disks).all() if item.unique_id == disk.source), None)
        if here is not None and not any(
            item.file_system for item in asking.area(Disks).partitions(here.number)
        ):
            raise _refusal(
                "Add-ClusterSharedVolume",
                f"The disk '{name}' has no volume that is formatted with NTFS or ReFS.",
                "InvalidOperation",
            )
        taken = {item.volume for item in cluster.disks}
        disk.volume = next(
            name for number in range(1, len(taken) + 2) if (name := f"Volume{number}") not in taken
        )
        for member in self.members(cluster):
            _mount(member, disk)
        self.owner.ledger.changed("clusters", f"{disk.name} is {CSV_ROOT}{disk.volume}")

    def unshare(self, asking: Machine, cluster: Cluster, disk: ClusterDisk) -> None:
        """Give a Cluster Shared Volume back to available storage (Remove-ClusterSharedVolume)."""
        asking.ledger.attempt("Remove-ClusterSharedVolume")
        for member in self.members(cluster):
            member.files.remove(f"{CSV_ROOT}{disk.volume}")
        disk.volume = ""
        self.owner.ledger.changed("clusters", f"{disk.name} of {cluster.name} is available storage")

    def add_volume(self, cluster: Cluster, disk: ClusterDisk, folder: str) -> None:
        """Take a virtual disk of Storage Spaces into a cluster, as a Cluster Shared Volume (New-Volume)."""
        disk.volume = folder
        cluster.disks.append(disk)
        for member in self.members(cluster):
            _mount(member, disk)
        self.owner.ledger.changed("clusters", f"{disk.name} is {CSV_ROOT}{disk.volume}")

    def members(self, cluster: Cluster) -> list[Machine]:
        """Give the machines of a cluster, in the order of joining."""
        found = [self.owner.machine(name) for name, _ in cluster.nodes]
        return [machine for machine in found if machine is not None]

    def to_plain(self) -> Any:
        """Give all clusters."""
        return [asdict(cluster) for cluster in self.clusters]

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self.clusters = [
            Cluster(
                **{
                    **item,
                    "nodes": [(str(name), str(state)) for name, state in item.get("nodes", ())],
                    "quorum": Quorum(**item.get("quorum", {})),
                    "disks": [ClusterDisk(**disk) for disk in item.get("disks", ())],
                }
            )
            for item in plain
        ]


def service_error(computer: str) -> MachineError:
    """Make the error of a cmdlet that asks a node which is no running member of a cluster."""
    return MachineError(
        f"The cluster service is not running. Make sure that the service is running on all nodes in the cluster.\n"
        f"    There are no more endpoints available from the endpoint mapper ({computer})",
        "ClusterServiceNotRunning",
        "ConnectionError",
        _EXCEPTION,
    )


def demand_module(machine: Machine, cmdlet: str) -> None:
    """Raise what a cmdlet of clusters gives while its module is not installed."""
    if not machine.features.is_installed(MODULE_FEATURE):
        raise command_not_found(cmdlet)


def _mount(machine: Machine, disk: ClusterDisk) -> None:
    """Let a shared volume appear below ``CSV_ROOT``; a letter it had is gone."""
    disks = machine.area(Disks)
    for item in disks.all():
        if item.unique_id == disk.source:
            disks.drop_letters(item.number)
    machine.files.make_folder(f"{CSV_ROOT}{disk.volume}")


def _start_service(machine: Machine) -> None:
    if machine.services.find(SERVICE):
        machine.services.change(SERVICE, start_mode="Auto", status="Running")


def _demand_feature(machine: Machine) -> None:
    if not machine.features.is_installed(FEATURE):
        raise _refusal(
            "New-Cluster",
            f"The computer '{machine.computer_name}' does not have the Failover Clustering feature installed. Use "
            "Server Manager to install the feature on this computer.",
            "InvalidOperation",
        )


def _refusal(cmdlet: str, message: str, category: str) -> MachineError:
    return MachineError(message, cmdlet, category, _EXCEPTION)
