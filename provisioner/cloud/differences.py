"""What has to change so that aggregates, flavors and images are what the inventory says. Pure.

The rule of the room: what nobody spoke of is left alone. Hosts of other inventories stay in an aggregate,
properties that are not named keep their values, and what is named with nothing behind it is taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from provisioner.addresses import NodeName
from provisioner.cloud.model import UNKNOWN, ComputeService, Flavor, HostAggregate, Image, Seen
from provisioner.cloud.names import claimants, is_same_host, narrowing, spellings
from provisioner.diagnostics import did_you_mean
from provisioner.inventory.model import Cloud, Inventory, Node, Property
from provisioner.inventory.openstack import host_key

ZONE = "availability_zone"
_HYPERV = "hyperv"
#: What Glance calls the disks Hyper-V can start from; 'vhd' stands for VHDX too.
_DISKS = frozenset({"vhd", "vhdx"})


class Action(Enum):
    """What a change does; the value is its name in JSON."""

    CREATE_AGGREGATE = "create-aggregate"
    SET_AGGREGATE = "set-aggregate"
    REMOVE_HOST = "remove-host"
    ADD_HOST = "add-host"
    SET_FLAVOR = "set-flavor"
    SET_IMAGE = "set-image"


@dataclass(frozen=True, slots=True)
class Change:
    """One call to the controller. ``target`` is the name of an aggregate, a flavor or an image.

    ``host`` is in Nova's spelling; ``values`` are to be set, those that are None taken away.
    """

    action: Action
    target: str
    node: str = ""
    host: str = ""
    values: tuple[tuple[str, str | None], ...] = ()

    def __str__(self) -> str:
        listed = ", ".join(
            f"{key}={value}" if value is not None else f"no {key}" for key, value in self.values
        )
        match self.action:
            case Action.CREATE_AGGREGATE:
                return f"create the aggregate '{self.target}'" + (f" with {listed}" if listed else "")
            case Action.SET_AGGREGATE:
                return f"set {listed} of the aggregate '{self.target}'"
            case Action.REMOVE_HOST:
                return f"remove {self.host} from the aggregate '{self.target}'"
            case Action.ADD_HOST:
                return f"add {self.host} to the aggregate '{self.target}'"
            case Action.SET_FLAVOR:
                return f"set {listed} of the flavor '{self.target}'"
            case Action.SET_IMAGE:
                return f"set {listed} of the image '{self.target}'"


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps something from becoming what the inventory says. ``about`` is a node, a flavor or an image."""

    about: str
    reason: str
    help: str = ""


@dataclass(slots=True)
class Differences:
    """What is not as it should be: changes in the order they are made, nodes that are not ready, faults.

    ``unmapped`` are nodes whose service registered and that have no hypervisor, with Nova's spelling: Nova leaves
    those out that are in no cell.
    """

    changes: list[Change] = field(default_factory=list)
    unregistered: list[NodeName] = field(default_factory=list)
    unmapped: dict[NodeName, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def compare(inventory: Inventory, selected: Sequence[NodeName], seen: Seen) -> Differences:
    """Compare an inventory that names a cloud with what its controller says."""
    assert inventory.cloud is not None
    found = Differences()
    _compare_aggregates(inventory.cloud, seen.aggregates, found)
    nodes = [inventory.nodes[name] for name in selected]
    narrowed = narrowing(seen)
    near = {node.name: narrowed(node.nova_host) for node in nodes}
    hosts = _hosts(nodes, near, inventory, found)
    present = []
    for node in nodes:
        services = [each for each in near[node.name].services if each.host == hosts.get(node.name)]
        if fault := unanswered(node, services):
            found.faults.extend([fault] if node.aggregates else ())
        elif node.name in hosts:
            present.append((node, hosts[node.name], near[node.name]))
    for node, host, of_it in present:
        if node.aggregates and not any(is_same_host(each.host, host) for each in of_it.hypervisors):
            found.unmapped[node.name] = host
    for node, host, of_it in present:
        _leave(
            node, host, [each for each in of_it.aggregates if each.name in inventory.cloud.aggregates], found
        )
    for node, host, of_it in present:
        _join(node, host, inventory.cloud, of_it.aggregates, found)
    _compare_flavors(inventory.cloud, seen.flavors, found)
    _compare_images(inventory.cloud, seen.images, found)
    return found


def _compare_aggregates(cloud: Cloud, aggregates: Sequence[HostAggregate], found: Differences) -> None:
    for wanted in cloud.aggregates.values():
        known = _known(wanted.name, aggregates)
        zone = ((ZONE, wanted.zone),) if wanted.zone else ()
        if known is None:
            found.changes.append(Change(Action.CREATE_AGGREGATE, wanted.name, values=zone))
            values = _differing(wanted.properties, {})
        else:
            values = _differing(wanted.properties, known.metadata)
            if wanted.zone and known.zone != wanted.zone:
                values = [*zone, *values]
        if values:
            found.changes.append(Change(Action.SET_AGGREGATE, wanted.name, values=tuple(values)))


def _hosts(
    nodes: Iterable[Node], near: Mapping[NodeName, Seen], inventory: Inventory, found: Differences
) -> dict[NodeName, str]:
    """Return Nova's spelling of the nodes that registered, and note those that did not."""
    hosts: dict[NodeName, str] = {}
    alike: dict[str, dict[NodeName, str]] = {}
    for node in inventory.nodes.values():
        alike.setdefault(host_key(node.nova_host), {})[node.name] = node.nova_host
    for node in nodes:
        spelled = spellings(node.nova_host, (service.host for service in near[node.name].services))
        if len(spelled) == 1:
            owners = claimants(spelled[0], alike[host_key(node.nova_host)])
            # Of those that nobody can tell apart one at most is in aggregates, or the inventory was refused.
            owner = next((name for name in owners if inventory.nodes[name].aggregates), owners[0])
            if owner == node.name:
                hosts[node.name] = spelled[0]
            elif node.aggregates:
                reason = f"{spelled[0]} is the host of the node '{owner}' already."
                help_ = "Say which host is meant: 'openstack: {host: NAME}' in the node."
                found.faults.append(Fault(node.name, reason, help_))
        elif node.aggregates and spelled:
            found.faults.append(ambiguous(node, spelled))
        elif node.aggregates:
            found.unregistered.append(node.name)
    return hosts


def ambiguous(node: Node, spelled: Sequence[str]) -> Fault:
    """Return the fault of a node that several hosts may be."""
    return Fault(
        node.name,
        f"Nova knows several hosts that may be '{node.nova_host}': {', '.join(spelled)}.",
        "Delete the service that is left over, or say which is meant: 'openstack: {host: NAME}' in the node.",
    )


def unanswered(node: Node, services: Iterable[ComputeService]) -> Fault | None:
    """Return the fault of a node in a cell that does not answer Nova; None where all do."""
    host = next((each.host for each in services if each.state == UNKNOWN), None)
    if host is None:
        return None
    return Fault(
        node.name,
        f"Nova gets no answer from the cell of {host}, and knows nothing of it but its name.",
        "Look at the database of that cell on the controller.",
    )


def _leave(node: Node, host: str, declared: Iterable[HostAggregate], found: Differences) -> None:
    """A host leaves aggregates of this inventory it is not to be in, before it joins another zone."""
    wanted = {use.name for use in node.aggregates}
    for aggregate in declared:
        if aggregate.name not in wanted:
            inside = [each for each in aggregate.hosts if is_same_host(each, host)]
            found.changes.extend(
                Change(Action.REMOVE_HOST, aggregate.name, node.name, each) for each in inside
            )


def _join(
    node: Node, host: str, cloud: Cloud, aggregates: Sequence[HostAggregate], found: Differences
) -> None:
    wanted = {use.name for use in node.aggregates}
    zone = next((zone for name in wanted if (zone := cloud.aggregates[name].zone)), "")
    for other in aggregates:
        is_foreign = other.name not in cloud.aggregates
        is_inside = any(is_same_host(each, host) for each in other.hosts)
        if zone and is_foreign and is_inside and other.zone and other.zone != zone:
            reason = (
                f"{host} is in the zone '{other.zone}' by the aggregate '{other.name}', of which this inventory "
                "says nothing; Nova gives a host one zone at most."
            )
            help_ = f"Take it out: openstack aggregate remove host '{other.name}' {host}"
            found.faults.append(Fault(node.name, reason, help_))
            return
    for use in node.aggregates:
        known = _known(use.name, aggregates)
        if known is None or not any(is_same_host(each, host) for each in known.hosts):
            found.changes.append(Change(Action.ADD_HOST, use.name, node.name, host))


def _compare_flavors(cloud: Cloud, flavors: Sequence[Flavor] | None, found: Differences) -> None:
    for name, wanted in cloud.flavors.items():
        known = [flavor for flavor in flavors or () if name in {flavor.id, flavor.name}]
        if not known:
            names = [flavor.name for flavor in flavors or ()]
            found.faults.append(
                Fault(name, f"The cloud has no flavor '{name}'.", did_you_mean(name, names) or _MAKE_IT)
            )
            continue
        values = _differing(wanted, known[0].specs)
        if values:
            found.changes.append(Change(Action.SET_FLAVOR, name, values=tuple(values)))


_MAKE_IT = "Make it first; only its properties are set here."


def _compare_images(cloud: Cloud, images: Sequence[Image] | None, found: Differences) -> None:
    if cloud.images and images is None:
        found.faults.append(
            Fault("images", "The cloud has no image service, and the inventory names images.")
        )
        return
    for name, wanted in cloud.images.items():
        known = [image for image in images or () if name in {image.id, image.name}]
        if len(known) != 1:
            names = [image.name for image in images or ()]
            reason = f"The cloud has no image '{name}'."
            help_ = did_you_mean(name, names) or _MAKE_IT
            if known:
                reason = f"{len(known)} images are called '{name}'."
                help_ = f"Write the id of one: {', '.join(image.id for image in known)}"
            found.faults.append(Fault(name, reason, help_))
            continue
        values = _differing(wanted, known[0].properties)
        if values:
            found.changes.append(Change(Action.SET_IMAGE, name, values=tuple(values)))
        hypervisor = next((each.value for each in wanted if each.name == "hypervisor_type"), None)
        if hypervisor == _HYPERV and known[0].disk_format not in _DISKS:
            disk = known[0].disk_format
            reason = f"The image '{name}' has the disk format '{disk}'; Hyper-V starts VHD and VHDX."
            found.faults.append(
                Fault(name, reason, "Convert it: qemu-img convert -O vhdx; 'vhd' is Glance's word.")
            )


def _differing(wanted: Iterable[Property], known: Mapping[str, str]) -> list[tuple[str, str | None]]:
    return [(each.name, each.value) for each in wanted if known.get(each.name) != each.value]


def _known(name: str, aggregates: Iterable[HostAggregate]) -> HostAggregate | None:
    return next((aggregate for aggregate in aggregates if aggregate.name == name), None)


def one_way(cloud: Cloud, seen: Seen) -> list[str]:
    """Return how instances could still land on the wrong side; a zone alone keeps nobody out.

    Only looked at where the inventory sets anything apart. Source: the scheduler's filters ImagePropertiesFilter
    and AggregateInstanceExtraSpecsFilter.
    """
    found = []
    unsaid = [
        image.name or image.id for image in seen.images or () if not image.properties.get("hypervisor_type")
    ]
    if cloud.images and unsaid:
        found.append(
            f"{_counted(len(unsaid), 'image says', 'images say')} no hypervisor_type, and may be started on "
            f"Windows hosts and others alike: {_listed(unsaid)}."
        )
    asked = {key for flavor in seen.flavors or () for key in flavor.specs}
    for aggregate in cloud.aggregates.values():
        names = [each.name for each in aggregate.properties if each.value is not None]
        keys = {key for name in names for key in (name, f"aggregate_instance_extra_specs:{name}")}
        if names and cloud.flavors and not keys & asked:
            found.append(
                f"No flavor asks for {_listed(names)}, by which the aggregate '{aggregate.name}' is set apart: "
                "what is meant for its hosts may be started elsewhere."
            )
    return found


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


_LISTED = 5


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
