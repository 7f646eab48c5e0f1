"""Make aggregates, zones, flavors and images what the inventory says.

Read, compare, change what differs, and again until nothing differs: so a run that was killed, another run at the
same time and a host that registers late are all the same case. A 404 or a 409 means that the world moved between
reading and changing; it is read again, and only who refuses the same twice has failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from provisioner.addresses import NodeName
from provisioner.cloud.differences import Action, Change, Differences, compare, one_way
from provisioner.cloud.happenings import (
    UNMAPPED,
    UNREGISTERED,
    Changed,
    Failed,
    Finished,
    Planned,
    Tell,
    Waits,
    Warned,
)
from provisioner.cloud.model import Seen
from provisioner.cloud.sdk import Controller
from provisioner.errors import CloudError, CloudRefused
from provisioner.inventory.model import Inventory

#: How often a change may be refused; what is read in between may show that somebody else made it.
_TRIES: Final = 2
#: How often a change may be made that is not there at the next look: somebody undoes it, or it is not shown.
_MADE: Final = 3
_POLL_S: Final = 2.0
#: Statuses that are about one change; all others are about us or the cloud.
_OF_THE_CHANGE: Final = frozenset({400, 404, 409, 422})
#: What Nova names when a host may not change its zone.
_INSTANCES: Final = "instances"
#: There is no call that maps a host to a cell.
HELP_MAPPING: Final = (
    "Run 'nova-manage cell_v2 discover_hosts' on the controller, or set "
    "'[scheduler] discover_hosts_in_cells_interval' there."
)
_HELP_REGISTER: Final = (
    "Look at the log of nova-compute on the node, and at 'openstack compute service list'."
)
_HELP_UNSHOWN: Final = "Look who else changes it. Nova shows the specs of flavors from microversion 2.61 on."


class Clock(Protocol):
    """The time, so that tests need none."""

    def now(self) -> float:
        """Return seconds from any fixed point."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """What to do: for which nodes, how many seconds to wait for those that did not register, or only to say it."""

    selected: Sequence[NodeName]
    wait_s: float
    is_plan: bool = False


def look(controller: Controller, inventory: Inventory) -> Seen:
    """Ask for what is compared; flavors and images only where the inventory speaks of any."""
    cloud = inventory.cloud
    assert cloud is not None
    return Seen(
        services=controller.services(),
        aggregates=controller.aggregates(),
        hypervisors=controller.hypervisors(),
        flavors=controller.flavors() if cloud.flavors else None,
        images=controller.images() if cloud.images else None,
    )


def plan(controller: Controller, inventory: Inventory, request: Request, tell: Tell) -> bool:
    """Tell what would be changed; return whether nothing stands in the way."""
    seen = look(controller, inventory)
    found = compare(inventory, request.selected, seen)
    for change in found.changes:
        tell(Planned(change))
    for wait in _waits(inventory, found).values():
        tell(wait)
    _tell_faults(found, tell)
    tell(Finished(len(found.changes), len(found.faults)))
    return not found.faults


def bring_about(
    controller: Controller, inventory: Inventory, request: Request, tell: Tell, clock: Clock
) -> bool:
    """Change what differs, wait for hosts that did not register, and return whether all became as it should.

    Raises:
        CloudError: the cloud cannot be asked any more.
    """
    run = _Run(controller, inventory, request, tell)
    began = clock.now()
    while True:
        is_moving = run.round()
        if is_moving:
            continue
        if not run.waits or clock.now() - began >= request.wait_s:
            break
        clock.sleep(min(_POLL_S, max(0.0, request.wait_s - (clock.now() - began))))
    return run.finish(clock.now() - began)


class _Run:
    def __init__(self, controller: Controller, inventory: Inventory, request: Request, tell: Tell) -> None:
        self.waits: dict[NodeName, Waits] = {}
        self._controller = controller
        self._inventory = inventory
        self._selected = request.selected
        self._tell = tell
        self._refused: Counter[Change] = Counter()
        self._failed: dict[Change, CloudError] = {}
        self._done: Counter[Change] = Counter()
        self._made = 0
        self._seen = Seen((), ())
        self._found = Differences()

    def round(self) -> bool:
        """Read, compare and change; return whether it is worth reading again at once."""
        self._seen = look(self._controller, self._inventory)
        self._found = compare(self._inventory, self._selected, self._seen)
        ids = {aggregate.name: aggregate.id for aggregate in self._seen.aggregates}
        waits = _waits(self._inventory, self._found)
        is_moving = False
        for change in self._found.changes:
            if self._done[change] >= _MADE:
                reason = f"The cloud took it {_MADE} times and does not show it: {change}."
                self._failed.setdefault(change, CloudError(reason, _HELP_UNSHOWN))
            if change not in self._failed:
                is_moving |= self._try(change, ids)
        for node, wait in waits.items():
            if self.waits.get(node) != wait:
                self._tell(wait)
        self.waits = waits
        return is_moving

    def _try(self, change: Change, ids: dict[str, str]) -> bool:
        """Make a change, or count that it was refused; return whether it is worth reading again at once."""
        try:
            self._make(change, ids)
        except CloudRefused as refused:
            if refused.is_gone and change.node in self._found.unmapped:
                return False  # it is waited for already
            if refused.status not in _OF_THE_CHANGE:
                raise
            self._refused[change] += 1
            if self._refused[change] >= _TRIES:
                self._failed[change] = refused
        else:
            self._made += 1
            self._done[change] += 1
            self._tell(Changed(change))
        return True

    def finish(self, waited_s: float) -> bool:
        """Tell what failed and how it ended."""
        for wait in self.waits.values():
            self._tell(
                Failed(wait.node, f"{wait.reason} It was waited for {waited_s:.0f} seconds.", wait.help)
            )
        for change, refused in self._failed.items():
            self._tell(Failed(change.node or change.target, str(refused), _help_of(change, refused)))
        _tell_faults(self._found, self._tell)
        cloud = self._inventory.cloud
        assert cloud is not None
        for sentence in one_way(cloud, self._seen):
            self._tell(Warned(sentence))
        failed = len(self.waits) + len(self._failed) + len(self._found.faults)
        self._tell(Finished(self._made, failed))
        return failed == 0

    def _make(self, change: Change, ids: dict[str, str]) -> None:
        controller, name, values = self._controller, change.target, dict(change.values)
        match change.action:
            case Action.CREATE_AGGREGATE:
                ids[name] = controller.create_aggregate(
                    name, next((zone or "" for zone in values.values()), "")
                )
            case Action.SET_FLAVOR:
                flavor = next(each for each in self._seen.flavors or () if name in {each.id, each.name})
                controller.set_specs(flavor, values)
            case Action.SET_IMAGE:
                image = next(each for each in self._seen.images or () if name in {each.id, each.name})
                controller.set_properties(image, values)
            case _ if name not in ids:
                # Creating it was refused: somebody else did, and the next look shows it.
                raise CloudRefused(f"Finding the aggregate '{name}'", 404, "it is not there")
            case Action.SET_AGGREGATE:
                controller.set_metadata(ids[name], values, name)
            case Action.ADD_HOST:
                controller.add_host(ids[name], change.host, name)
            case Action.REMOVE_HOST:
                controller.remove_host(ids[name], change.host, name)


def _waits(inventory: Inventory, found: Differences) -> dict[NodeName, Waits]:
    waits = {}
    for node in found.unregistered:
        reason = f"nova-compute of '{inventory.nodes[node].nova_host}' has not registered with Nova."
        waits[node] = Waits(node, UNREGISTERED, reason, _HELP_REGISTER)
    for node, host in found.unmapped.items():
        reason = (
            f"{host} registered and Nova shows no hypervisor of it: it is in no cell, nothing starts there."
        )
        waits[node] = Waits(node, UNMAPPED, reason, HELP_MAPPING)
    return waits


def _help_of(change: Change, refused: CloudError) -> str:
    of_hosts = {Action.ADD_HOST, Action.REMOVE_HOST, Action.SET_AGGREGATE}
    if isinstance(refused, CloudRefused) and _INSTANCES in refused.said and change.action in of_hosts:
        return "A host with instances cannot change its zone: move them away first."
    return refused.help


def _tell_faults(found: Differences, tell: Tell) -> None:
    for fault in found.faults:
        tell(Failed(fault.about, fault.reason, fault.help))
