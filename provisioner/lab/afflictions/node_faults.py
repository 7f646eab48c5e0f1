"""All faults of one node. A node without any has none of this: no object, no question asked of each message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any, TypeVar

from provisioner.lab.afflictions.active import Active, State
from provisioner.lab.afflictions.configuration import Misbehaving
from provisioner.lab.afflictions.connections import Disturbed
from provisioner.lab.afflictions.effects import Effects
from provisioner.lab.faults.base import Fault, Place, Planned
from provisioner.lab.faults.machine import DiskFull
from provisioner.lab.faults.power import NewAddress, NoReturn, SameBoot, SlowReboot
from provisioner.lab.faults.shells import Quota
from provisioner.lab.lcm.host import Behaved
from provisioner.lab.machine.ground.registry import PREFETCH
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.simulated_node import SimulatedNode

F = TypeVar("F", bound=Fault)
_ON_THE_WIRE = frozenset({Place.NETWORK, Place.HTTP})


class NodeFaults:
    """The faults of one node, of which there has been at least one."""

    def __init__(self, node: SimulatedNode, fleet: Fleet, time_scale: float) -> None:
        self._node = node
        self._fleet = fleet
        # Rest takes its time where all work is instant, as for the node's own timers.
        self._stretch = time_scale or 1.0
        self._effects = Effects(node, fleet, self._stretch)
        self._disturbed = Disturbed(self, node.name)
        self._misbehaving = Misbehaving(self)
        self._faults: list[Active] = []

    def __iter__(self) -> Iterator[Active]:
        return iter(self._faults)

    def on(self, kind: type[F]) -> Iterator[tuple[Active, F]]:
        """Give the faults of a kind that are active now."""
        for active in self._faults:
            if active.state is State.ON and isinstance(active.fault, kind):
                yield active, active.fault

    def inject(self, planned: Planned) -> None:
        """Let a fault wait for its trigger, or begin at once.

        Raises:
            LabError: the node cannot have it.
        """
        self._effects.demand(planned.fault)
        active = Active(planned)
        self._faults.append(active)
        self._wait(active)
        self._settle()

    def clear(self, kind: str | None) -> int:
        """End all faults, or those of a kind; return how many."""
        found = [active for active in self._faults if kind is None or active.fault.kind == kind]
        for active in found:
            self._end(active)
        self._settle()
        return len(found)

    # -- what takes hold says so ----------------------------------------------------------------------------

    def took_hold(self, active: Active) -> None:
        """Count that a fault had its effect; the last time ends it."""
        active.taken += 1
        self._note(active, "took hold")
        if active.is_used_up:
            self._end(active)
            self._settle()

    def message_answered(self) -> None:
        """Count a message for whatever waits for some."""
        waiting = [active for active in self._faults if active.state is State.WAITING]
        for active in waiting:
            active.messages_left -= 1
            if active.is_due:
                self._begin(active)
        if waiting:
            self._settle()

    # -- boots ----------------------------------------------------------------------------------------------

    async def linger(self) -> None:
        """Stay down longer, or for good."""
        for active, slow in list(self.on(SlowReboot)):
            await asyncio.sleep(slow.seconds * self._stretch)
            self.took_hold(active)
        for active, _ in list(self.on(NoReturn)):
            self._note(active, "took hold")
            await active.over.wait()

    def booted(self, boot_id: int, boot_time: datetime) -> None:
        """Hide the boot, or come back elsewhere."""
        machine = self._node.machine
        for active, same in list(self.on(SameBoot)):
            if same.keeps in {"id", "both"}:
                machine.registry.set(PREFETCH, "BootId", boot_id)
            if same.keeps in {"time", "both"}:
                machine.boot_time = boot_time
            self.took_hold(active)
        for active, other in list(self.on(NewAddress)):
            active.kept = active.kept or self._node.address
            self._effects.move(other.address)
            self._note(active, "took hold")

    # -- inside ---------------------------------------------------------------------------------------------

    def _wait(self, active: Active) -> None:
        after_s = active.planned.when.after_s
        if after_s:
            self._later(active, after_s, self._time_is_up)
        elif active.is_due:
            self._begin(active)

    def _time_is_up(self, active: Active) -> None:
        active.is_time_up = True
        if active.is_due:
            self._begin(active)
            self._settle()

    def _begin(self, active: Active) -> None:
        active.state = State.ON
        self._note(active, "began")
        self._effects.begin(active)
        if active.fault.is_event:
            active.taken += 1
            if active.is_used_up:
                self._end(active)
            else:
                active.arm()
                self._wait(active)
        elif active.planned.when.for_s is not None:
            self._later(active, active.planned.when.for_s, self._run_out)

    def _run_out(self, active: Active) -> None:
        self._end(active)
        self._settle()

    def _end(self, active: Active) -> None:
        if active.state is State.OVER:
            return
        was_on = active.state is State.ON
        active.state = State.OVER
        active.forget_timers()
        self._faults.remove(active)
        if was_on and not active.fault.is_event:
            left: set[Any] = {fault.volume for _, fault in self.on(DiskFull)}
            self._effects.end(active, left)
        active.over.set()
        self._note(active, "ended")

    def _later(self, active: Active, seconds: float, call: Any) -> None:
        timer = asyncio.get_running_loop().call_later(seconds * self._stretch, call, active)
        active.timers.append(timer)

    def _settle(self) -> None:
        """Put in the way of the node what its faults need, and take away what they need no more."""
        node, listener = self._node, self._fleet.listener(self._node.name)
        on = {active.fault.place for active in self._faults if active.state is State.ON}
        waits = any(active.state is State.WAITING and active.messages_left > 0 for active in self._faults)
        listener.disturb(self._disturbed if waits or on & _ON_THE_WIRE else None)
        listener.use_up({fault.of: fault.allowed for _, fault in self.on(Quota)})
        is_astray = bool(on & {Place.LCM, Place.RESOURCES})
        node.misbehaviour = self._misbehaving if is_astray else Behaved()
        node.boot_faults = self if Place.POWER in on else None

    def _note(self, active: Active, what: str) -> None:
        self._node.record("fault", fault=str(active.planned), state=what)
