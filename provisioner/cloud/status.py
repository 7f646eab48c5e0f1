"""How the nodes of an inventory stand in the eyes of the controller. Pure, but for ``look``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from provisioner.addresses import NodeName
from provisioner.cloud.differences import ambiguous, unanswered
from provisioner.cloud.model import (
    ComputeService,
    HostAggregate,
    Hypervisor,
    NetworkAgent,
    Seen,
    VolumeService,
)
from provisioner.cloud.names import host_of, is_same_host, narrowing, not_of_others, spellings
from provisioner.cloud.sdk import Controller
from provisioner.cloud.zones import HELP_MAPPING
from provisioner.inventory.model import Cloud, Inventory, Node

T = TypeVar("T", ComputeService, NetworkAgent, VolumeService, Hypervisor)


class Part(Enum):
    """What a node may be for a cloud; the value is its word in messages and JSON."""

    COMPUTE = "compute"
    NETWORK = "network"
    VOLUME = "volume"


#: What the roles make of a node. A node in an aggregate is a compute node by that alone.
PARTS: Final = {
    "nova_compute": Part.COMPUTE,
    "neutron_hyperv_agent": Part.NETWORK,
    "neutron_ovs_agent": Part.NETWORK,
    "cinder_volume": Part.VOLUME,
}
_HELP_LOG: Final = "Look at the log of the service on the node."


@dataclass(frozen=True, slots=True)
class Standing:
    """One node. ``host`` is the controller's spelling, empty where no service knows the node.

    ``expected`` is what it should be by its roles and aggregates; ``missing`` the aggregates it should be in
    and is not. ``faults`` are sentences; none means that all is well.
    """

    node: NodeName
    host: str
    expected: tuple[Part, ...]
    compute: tuple[ComputeService, ...]
    hypervisors: tuple[Hypervisor, ...]
    agents: tuple[NetworkAgent, ...]
    volumes: tuple[VolumeService, ...]
    aggregates: tuple[HostAggregate, ...]
    missing: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def zone(self) -> str:
        """The zone the node is in; empty for none of its own."""
        return next((aggregate.zone for aggregate in self.aggregates if aggregate.zone), "")

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "node": self.node,
            "host": self.host,
            "expected": [part.value for part in self.expected],
            "compute": [
                {"state": each.state, "status": each.status, "disabled_reason": each.disabled_reason}
                for each in self.compute
            ],
            "hypervisors": [
                {
                    "name": each.name,
                    "type": each.type,
                    "version": each.version,
                    "state": each.state,
                    "status": each.status,
                }
                for each in self.hypervisors
            ],
            "agents": [
                {"type": each.type, "alive": each.is_alive, "admin_state_up": each.is_admin_up}
                for each in self.agents
            ],
            "volumes": [
                {"host": each.host, "state": each.state, "status": each.status, "zone": each.zone}
                for each in self.volumes
            ],
            "zone": self.zone,
            "aggregates": [each.name for each in self.aggregates],
            "missing_aggregates": list(self.missing),
            "faults": list(self.faults),
        }


def look(controller: Controller) -> Seen:
    """Ask the controller for all it knows of hosts."""
    return Seen(
        services=controller.services(),
        aggregates=controller.aggregates(),
        hypervisors=controller.hypervisors(),
        agents=controller.agents(),
        volumes=controller.volume_services(),
    )


def standings(inventory: Inventory, selected: Sequence[NodeName], seen: Seen) -> list[Standing]:
    """Return the nodes that are, or should be, a part of the cloud."""
    assert inventory.cloud is not None
    narrowed = narrowing(seen)
    nodes = (inventory.nodes[name] for name in selected)
    found = (_standing(node, inventory.cloud, narrowed(node.nova_host)) for node in nodes)
    return [each for each in found if each.expected or each.host]


def _standing(node: Node, cloud: Cloud, seen: Seen) -> Standing:
    compute = _of(node, seen.services)
    known = not_of_others(
        [*(each.host for each in seen.agents or ()), *(each.host for each in seen.volumes or ())],
        (each.host for each in compute),
        (each.host for each in seen.services),
    )
    agents = _of(node, (each for each in seen.agents or () if each.host in known))
    volumes = _of(node, (each for each in seen.volumes or () if each.host in known))
    called = (
        *(each.host for each in compute),
        *(each.host for each in agents),
        *(each.host for each in volumes),
    )
    hosts = list(dict.fromkeys(host_of(host) for host in called))
    names = [each.host for each in compute] or hosts
    inside = tuple(each for each in seen.aggregates if _is_in(each, names))
    joined = {each.name for each in inside}
    standing = Standing(
        node=node.name,
        host=hosts[0] if hosts else "",
        expected=_expected(node),
        compute=compute,
        hypervisors=tuple(
            each for each in seen.hypervisors if any(is_same_host(each.host, name) for name in names)
        ),
        agents=agents,
        volumes=volumes,
        aggregates=inside,
        missing=tuple(use.name for use in node.aggregates if use.name not in joined),
        faults=(),
    )
    return _with_faults(standing, node, cloud, seen)


def _of(node: Node, items: Iterable[T]) -> tuple[T, ...]:
    """Return what belongs to a node. Cinder has one service for each back end."""
    items = tuple(items)
    names = spellings(node.nova_host, (item.host for item in items))
    return tuple(item for item in items if host_of(item.host) in names)


def _is_in(aggregate: HostAggregate, names: Iterable[str]) -> bool:
    return any(is_same_host(host, name) for host in aggregate.hosts for name in names)


def _expected(node: Node) -> tuple[Part, ...]:
    said = {PARTS[use.name] for use in node.roles if use.name in PARTS}
    if node.aggregates:
        said.add(Part.COMPUTE)
    return tuple(part for part in Part if part in said)


def _with_faults(standing: Standing, node: Node, cloud: Cloud, seen: Seen) -> Standing:
    faults = [
        *_faults_of_compute(standing, node),
        *_faults_of_network(standing, seen),
        *_faults_of_volumes(standing, seen),
    ]
    if standing.compute and len({each.host for each in standing.compute}) == 1:
        if standing.missing:
            listed = ", ".join(f"'{name}'" for name in standing.missing)
            faults.append(f"It is not in {listed}: run 'provision openstack zones'.")
        wanted = next((zone for use in node.aggregates if (zone := cloud.aggregates[use.name].zone)), "")
        if wanted and standing.zone and standing.zone != wanted:
            faults.append(f"It is in the zone '{standing.zone}', and the inventory says '{wanted}'.")
    return Standing(
        **{name: getattr(standing, name) for name in Standing.__slots__ if name != "faults"},
        faults=tuple(faults),
    )


def _faults_of_compute(standing: Standing, node: Node) -> Iterable[str]:
    hosts = list(dict.fromkeys(each.host for each in standing.compute))
    if len(hosts) > 1:
        fault = ambiguous(node, hosts)
        yield f"{fault.reason} {fault.help}"
    if Part.COMPUTE in standing.expected and not standing.compute:
        yield f"nova-compute of '{node.nova_host}' has not registered with Nova. {_HELP_LOG}"
    if silent := unanswered(node, standing.compute):
        yield f"{silent.reason} {silent.help}"
        return
    for each in standing.compute:
        if each.state != "up":
            yield f"nova-compute is {each.state}. {_HELP_LOG}"
        if each.status != "enabled":
            because = f": {each.disabled_reason}" if each.disabled_reason else ""
            yield f"nova-compute is {each.status}{because}."
    if standing.compute and not standing.hypervisors:
        yield f"nova-compute registered, and Nova shows no hypervisor of it: it is in no cell. {HELP_MAPPING}"
    for hypervisor in standing.hypervisors:
        if hypervisor.state != "up" and all(each.state == "up" for each in standing.compute):
            yield f"The hypervisor {hypervisor.name} is {hypervisor.state}."


def _faults_of_network(standing: Standing, seen: Seen) -> Iterable[str]:
    if Part.NETWORK in standing.expected and not standing.agents:
        why = (
            "The cloud has no network service."
            if seen.agents is None
            else f"No network agent registered. {_HELP_LOG}"
        )
        yield why
    for agent in standing.agents:
        if not agent.is_alive:
            yield f"The {agent.type} is not alive. {_HELP_LOG}"
        if not agent.is_admin_up:
            yield f"The {agent.type} is administratively down."


def _faults_of_volumes(standing: Standing, seen: Seen) -> Iterable[str]:
    if Part.VOLUME in standing.expected and not standing.volumes:
        why = (
            "The cloud has no volume service."
            if seen.volumes is None
            else f"No cinder-volume registered. {_HELP_LOG}"
        )
        yield why
    for volume in standing.volumes:
        if volume.state != "up":
            yield f"cinder-volume {volume.host} is {volume.state}. {_HELP_LOG}"
        if volume.status != "enabled":
            yield f"cinder-volume {volume.host} is {volume.status}."
