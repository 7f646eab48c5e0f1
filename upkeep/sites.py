"""What an inventory comes to, as far as a picture of it shows: machines in groups, networks, paths to storage.

Everything is read from the inventory and the roles' own defaults; nothing is told about a site anywhere else.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioner.diagnostics import Diagnostics
from provisioner.inventory.loader import load_inventory
from provisioner.inventory.model import Inventory, Node
from provisioner.roles.loader import RoleLibrary
from provisioner.roles.statements.binding import RolesOfNode
from upkeep.module import ROOT

_SUBNET = 24


@dataclass(frozen=True, slots=True)
class Machine:
    """One node. ``roles`` are those the inventory names, ``all_roles`` also what these require."""

    name: str
    address: str
    roles: tuple[str, ...]
    all_roles: frozenset[str]
    values: Mapping[str, Any]

    @property
    def computer(self) -> str:
        """Its computer name."""
        return str(self.values.get("windows_computer_name") or self.name).upper()

    @property
    def windows(self) -> str:
        """Its release of Windows."""
        return str(self.values.get("windows_version") or "")


@dataclass(frozen=True, slots=True)
class Frame:
    """The machines whose nearest group is the same."""

    name: str
    machines: tuple[Machine, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that machines of the frame have by the inventory."""
        return tuple(dict.fromkeys(role for machine in self.machines for role in machine.roles))

    @property
    def is_compute(self) -> bool:
        """Whether virtual machines of the cloud run there."""
        return any("nova_compute" in machine.all_roles for machine in self.machines)


@dataclass(frozen=True, slots=True)
class Network:
    """What connects machines of these frames."""

    name: str
    what: str
    frames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """How machines of these frames reach storage on a machine; ``kind`` is iSCSI or SMB."""

    frames: tuple[str, ...]
    machine: str
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Site:
    """One inventory."""

    name: str
    release: str
    domain: str
    zones: tuple[str, ...]
    clusters: tuple[str, ...]
    frames: tuple[Frame, ...]
    networks: tuple[Network, ...]
    ways: tuple[Way, ...]

    @property
    def machines(self) -> tuple[Machine, ...]:
        """All machines."""
        return tuple(machine for frame in self.frames for machine in frame.machines)


def read_site(path: Path) -> Site:
    """Read a site from its inventory.

    Raises:
        InputError: the inventory is wrong, or a variable of a role is.
    """
    inventory, problems = load_inventory(path)
    problems.raise_errors()
    assert inventory is not None
    library = RoleLibrary([ROOT])
    machines = {str(node.name): _machine(node, library, problems) for node in inventory.nodes.values()}
    problems.raise_errors()
    by_group: dict[str, list[Machine]] = {}
    for node in inventory.nodes.values():
        by_group.setdefault(node.groups[-1] if node.groups else "", []).append(machines[str(node.name)])
    frames = tuple(Frame(name, tuple(each)) for name, each in by_group.items())
    return Site(
        name=str(inventory.site),
        release=_one(machines.values(), "openstack_release"),
        domain=_one(machines.values(), "windows_domain"),
        zones=_zones(inventory),
        clusters=tuple(dict.fromkeys(_values(machines.values(), "cluster_name"))),
        frames=frames,
        networks=tuple(_networks(frames)),
        ways=_joined(_ways(frames)),
    )


def _machine(node: Node, library: RoleLibrary, problems: Diagnostics) -> Machine:
    of_node = RolesOfNode(node, library, problems)
    values: dict[str, Any] = {}
    for each in of_node.all_values().values():
        values |= each
    return Machine(
        str(node.name),
        node.connection.endpoint.host,
        tuple(str(use.name) for use in node.roles),
        frozenset(map(str, of_node.roles)),
        values,
    )


def _values(machines: Iterable[Machine], name: str) -> Iterator[str]:
    for machine in machines:
        if machine.values.get(name):
            yield str(machine.values[name])


def _one(machines: Iterable[Machine], name: str) -> str:
    return ", ".join(sorted(set(_values(machines, name))))


def _zones(inventory: Inventory) -> tuple[str, ...]:
    cloud = inventory.cloud
    return tuple(each.zone for each in cloud.aggregates.values() if each.zone) if cloud else ()


def _networks(frames: tuple[Frame, ...]) -> Iterator[Network]:
    """Yield the networks: that of the addresses first, then one for each way machines have of using another."""
    found: dict[tuple[str, str], list[str]] = {}
    for frame in frames:
        for machine in frame.machines:
            for network in _networks_of(machine):
                names = found.setdefault(network, [])
                if frame.name not in names:
                    names.append(frame.name)
    for (name, what), names in sorted(found.items(), key=lambda item: _ORDER.index(item[0][0])):
        yield Network(name, what, tuple(names))


MANAGEMENT, TENANTS, TUNNELS, MIGRATION = "management", "tenants", "tunnels", "live migration"
_ORDER = (MANAGEMENT, TENANTS, TUNNELS, MIGRATION)


def _networks_of(machine: Machine) -> Iterator[tuple[str, str]]:
    values = machine.values
    yield MANAGEMENT, _network(machine.address)
    if "hyperv_vswitch" in machine.all_roles:
        adapters = ", ".join(values["hyperv_switch_adapters"])
        yield TENANTS, f"switch {values['hyperv_switch_name']} on {adapters}"
    if "neutron_ovs_agent" in machine.all_roles and values["neutron_ovs_tunnel_types"]:
        kinds = ", ".join(values["neutron_ovs_tunnel_types"]).upper()
        yield TUNNELS, f"{kinds} in {_network(values['neutron_ovs_local_ip'] or machine.address)}"
    if "live_migration" in machine.all_roles:
        if values["live_migration_clustered"]:
            yield MIGRATION, f"networks of {values['cluster_name']}"
        else:
            yield MIGRATION, ", ".join(values["live_migration_networks"]) or "all networks"


def _joined(ways: Iterable[Way]) -> tuple[Way, ...]:
    """Make one way of those that lead to the same from several frames."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for way in ways:
        found.setdefault((way.machine, way.kind, way.what), {}).update(dict.fromkeys(way.frames))
    return tuple(Way(tuple(frames), *to) for to, frames in found.items())


def _network(address: str) -> str:
    return str(ipaddress.ip_network(f"{address}/{_SUBNET}", strict=False))


def _ways(frames: tuple[Frame, ...]) -> Iterator[Way]:
    by_address = {machine.address: machine.name for frame in frames for machine in frame.machines}
    by_account = {machine.computer: frame for frame in frames for machine in frame.machines}
    for frame in frames:
        for machine in frame.machines:
            for target in machine.values.get("iscsi_initiator_targets") or ():
                there = {
                    by_address[portal.partition("@")[0].partition(":")[0]] for portal in target["portals"]
                }
                paths = f", {len(target['portals'])} paths" if len(target["portals"]) > 1 else ""
                for storage in sorted(there):
                    yield Way(
                        (frame.name,), storage, "iSCSI", f"{target['target'].rpartition(':')[2]}{paths}"
                    )
            for share in machine.values.get("smb_shares") or ():
                for access in share["access"]:
                    user = by_account.get(access["account"].rpartition("\\")[2].removesuffix("$").upper())
                    if user is not None and user.name != frame.name:
                        yield Way((user.name,), machine.name, "SMB", f"\\\\{machine.name}\\{share['name']}")
    yield from _volumes(frames)


def _volumes(frames: tuple[Frame, ...]) -> Iterator[Way]:
    """Yield how hosts attach volumes of Cinder over iSCSI, whose targets are made as they are asked for.

    Instances of a failover cluster can have none: the driver for clusters takes volumes on SMB alone.
    """
    for storage in frames:
        for machine in storage.machines:
            for backend in machine.values.get("cinder_backends") or ():
                if backend["kind"] != "iscsi":
                    continue
                secondary = backend.get("target_secondary_ip_addresses") or ()
                paths = f", {len(secondary) + 1} paths" if secondary else ""
                for frame in frames:
                    if frame.is_compute and not frame.machines[0].values.get("nova_cluster"):
                        yield Way(
                            (frame.name,), machine.name, "iSCSI", f"volumes of {backend['name']}{paths}"
                        )
