"""Take a node out of its cloud: nothing new on it, wait until it is empty, leave aggregates, delete its services.

Every step begins with looking, so a run that was killed is simply begun again. Nothing is done to the node itself,
and no instance is moved. Source of the order: Compute API reference, os-services (delete): instances are moved
away first, and nova-compute is stopped, or it makes a new resource provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from provisioner.cloud.differences import Fault, ambiguous, unanswered
from provisioner.cloud.happenings import NOT_EMPTY, Done, Failed, Finished, Tell, Waits, Warned
from provisioner.cloud.model import ComputeService, NetworkAgent, VolumeService
from provisioner.cloud.names import claimants, host_of, is_same_host, not_of_others, spellings
from provisioner.cloud.sdk import Controller
from provisioner.cloud.zones import Clock
from provisioner.errors import CloudRefused
from provisioner.inventory.model import Inventory, Node

REASON: Final = "retired by provision"
_POLL_S: Final = 2.0
_NAMED: Final = 5
#: How often leaving an aggregate is tried when somebody else changes it at the same time.
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class _Host:
    """All the controller knows of a node; ``unclear`` is why that is not sure."""

    names: tuple[str, ...]
    compute: tuple[ComputeService, ...]
    agents: tuple[NetworkAgent, ...]
    volumes: tuple[VolumeService, ...]
    unclear: Fault | None


@dataclass(frozen=True, slots=True)
class Request:
    """A node of an inventory, seconds to wait for what is on it to leave, or only to tell what would be done.

    Where nobody is to wait, a node that has any is refused, and nothing is changed.
    """

    inventory: Inventory
    node: Node
    wait_s: float = 0.0
    is_plan: bool = False


def retire(controller: Controller, request: Request, tell: Tell, clock: Clock) -> bool:
    """Take a node out, telling every step; return whether it is out.

    Raises:
        CloudError: the cloud cannot be asked any more.
    """
    return _Retirement(controller, request, tell).run(clock, request.wait_s)


class _Retirement:
    def __init__(self, controller: Controller, request: Request, tell: Tell) -> None:
        self._controller = controller
        self._wanted = {each.name: each.nova_host for each in request.inventory.nodes.values()}
        self._node = request.node
        self._told = tell
        self._is_plan = request.is_plan
        self._steps = 0

    def run(self, clock: Clock, wait_s: float) -> bool:
        host = self._look()
        if host.unclear:
            return self._fail(host.unclear.reason, f"{host.unclear.help} Nothing was changed.")
        inside = self._inside(host.names)
        if not (host.compute or host.agents or host.volumes or inside):
            self._told(Finished(0, 0))
            return True
        held = self._held(host)
        if held and (wait_s <= 0 or self._is_plan):
            help_ = "Move or delete them first, or wait for that with --wait SECONDS. Nothing was changed."
            return self._fail(f"{held} Nothing new is kept off it yet.", help_)
        self._disable(host)
        if not self._is_plan and not self._wait(host, clock, wait_s):
            return False
        for name in host.names:
            self._leave(name)
        return self._delete(host)

    def _look(self) -> _Host:
        services = self._controller.services()
        agents = self._controller.agents() or ()
        volumes = self._controller.volume_services() or ()
        aggregates = self._controller.aggregates()
        computes = [each.host for each in services]
        lists = ([each.host for each in agents], [each.host for each in volumes])
        in_aggregates = [host for aggregate in aggregates for host in aggregate.hosts]
        ours = self._meant(computes)
        found = [
            ours,
            *(self._meant(not_of_others(known, ours, computes)) for known in (*lists, in_aggregates)),
        ]
        names = tuple(dict.fromkeys(name for group in found for name in group))
        compute = tuple(each for each in services if each.host in found[0])
        faults = (*(self._unclear(group) for group in found), unanswered(self._node, compute))
        return _Host(
            names,
            compute,
            tuple(each for each in agents if each.host in found[1]),
            tuple(each for each in volumes if host_of(each.host) in found[2]),
            next((fault for fault in faults if fault), None),
        )

    def _meant(self, known: Iterable[str]) -> tuple[str, ...]:
        """Return the names that mean the node, without those that mean another node of the inventory rather."""
        names = spellings(self._node.nova_host, known)
        return tuple(name for name in names if self._node.name in claimants(name, self._wanted))

    def _unclear(self, names: Sequence[str]) -> Fault | None:
        """Return why names may be another machine's: what is deleted by mistake nobody brings back."""
        if len({name.casefold() for name in names}) > 1:
            return ambiguous(self._node, names)
        for name in names:
            others = [node for node in claimants(name, self._wanted) if node != self._node.name]
            if others:
                reason = f"{name} may be the host of the node '{others[0]}' as well."
                help_ = "Say which host is meant: 'openstack: {host: NAME}' in the node."
                return Fault(self._node.name, reason, help_)
        return None

    def _inside(self, names: Iterable[str]) -> list[tuple[str, str, str]]:
        """Return id, name and host as spelled for every aggregate the host is in."""
        wanted = tuple(names)
        return [
            (aggregate.id, aggregate.name, host)
            for aggregate in self._controller.aggregates()
            for host in aggregate.hosts
            if any(is_same_host(host, name) for name in wanted)
        ]

    def _held(self, host: _Host) -> str:
        """Return what is still on the host, as a sentence; empty when nothing is."""
        servers = [name for each in host.compute for name in self._controller.servers_on(each.host)]
        volumes = [name for each in host.volumes for name in self._controller.volumes_on(each.host)]
        kept = [text for text in (_counted(servers, "instance"), _counted(volumes, "volume")) if text]
        return f"{host.names[0]} still has {' and '.join(kept)}." if kept else ""

    def _disable(self, host: _Host) -> None:
        for service in host.compute:
            if service.status != "disabled":
                if not self._is_plan:
                    self._controller.disable(service, REASON)
                self._tell(f"disable nova-compute of {service.host}")
        for volume in host.volumes:
            if volume.status != "disabled":
                if not self._is_plan:
                    self._controller.disable_volume_service(volume, REASON)
                self._tell(f"disable cinder-volume of {volume.host}")

    def _wait(self, host: _Host, clock: Clock, wait_s: float) -> bool:
        """Look until nothing is on the host: what was being scheduled when it was disabled may still arrive."""
        began, said = clock.now(), ""
        while held := self._held(host):
            if clock.now() - began >= wait_s:
                help_ = "It takes nothing new now. Move away what it has and run this again, or enable it."
                return self._fail(held, help_)
            if held != said:
                self._told(Waits(self._node.name, NOT_EMPTY, held, "Move it away, or delete it."))
                said = held
            clock.sleep(min(_POLL_S, wait_s))
        return True

    def _leave(self, name: str) -> None:
        for attempt in range(1, _TRIES + 1):
            refusals = []
            for id_, aggregate, host in self._inside((name,)):
                try:
                    if not self._is_plan:
                        self._controller.remove_host(id_, host, aggregate)
                except CloudRefused as refused:
                    if not (refused.is_gone or refused.is_conflict):
                        raise
                    refusals.append(refused)
                else:
                    self._tell(f"remove {host} from the aggregate '{aggregate}'")
            if not refusals:
                return
            if attempt == _TRIES:
                raise refusals[0]

    def _delete(self, host: _Host) -> bool:
        for service in host.compute:
            if service.state == "up":
                self._told(
                    Warned(
                        f"nova-compute of {service.host} is still running: stop it on the node, or it makes a "
                        "resource provider that nobody takes away."
                    )
                )
            try:
                self._unless_gone(partial(self._controller.delete_service, service))
            except CloudRefused as refused:
                if not refused.is_conflict:
                    raise
                # An instance or a migration came in between.
                return self._fail(str(refused), "Run it again when the host is empty; it takes nothing new.")
            self._tell(f"delete nova-compute of {service.host}")
        for agent in host.agents:
            self._unless_gone(partial(self._controller.delete_agent, agent))
            self._tell(f"delete the {agent.type} of {agent.host}")
        for volume in host.volumes:
            # Cinder's API has no call that deletes a service.
            command = f"cinder-manage service remove cinder-volume {volume.host}"
            self._told(
                Warned(f"Only the controller itself can delete cinder-volume of {volume.host}: {command}")
            )
        self._told(Finished(self._steps, 0))
        return True

    def _unless_gone(self, delete: Callable[[], None]) -> None:
        try:
            if not self._is_plan:
                delete()
        except CloudRefused as refused:
            if not refused.is_gone:
                raise

    def _tell(self, step: str) -> None:
        self._steps += 1
        self._told(Done(self._node.name, step))

    def _fail(self, reason: str, help_: str) -> bool:
        self._told(Failed(self._node.name, reason, help_))
        self._told(Finished(self._steps, 1))
        return False


def _counted(names: Sequence[str], noun: str) -> str:
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} {noun}{'' if len(names) == 1 else 's'} ({', '.join(names[:_NAMED])}{more})"
