"""Restart a node and wait until it is back: only with consent, and never a virtual machine by surprise.

A reboot has happened when the node tells another boot, not when it answers again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.engine.link import BROKEN
from provisioner.errors import NodeError, RebootRefused, RebootTimeout, TransportError
from provisioner.events import RebootFinished, RebootStarted

if TYPE_CHECKING:
    from provisioner.engine.link import Link
    from provisioner.engine.work import ApplyOptions, NodeWork, Record
    from provisioner.node.base import BootState


class Reboots:
    """The reboots of one node. ``count`` is the number that happened."""

    def __init__(self, work: NodeWork, options: ApplyOptions, link: Link, record: Record) -> None:
        self.count = 0
        self._work = work
        self._options = options
        self._link = link
        self._record = record

    async def reboot(self, because: str) -> None:
        """Ask for consent, restart the node, wait for its next boot.

        Raises:
            RebootRefused: virtual machines run on the node, or nobody allowed it.
            RebootTimeout: the node did not come back in time.
        """
        name = self._work.name
        if not self._options.reboot_running_vms:
            machines = await self._link.ask(lambda api: api.running_virtual_machines())
            if machines:
                raise RebootRefused(
                    name,
                    f"a reboot is needed ({because}), but it would stop the running virtual machines "
                    f"{', '.join(sorted(machines))}",
                    help="Move or stop them and run again, or allow it with --reboot-running-vms.",
                )
        if not await self._options.allow_reboot(name, because):
            raise RebootRefused(
                name,
                f"a reboot is needed ({because}) and was not allowed",
                help="Run again with --yes to allow reboots, or restart the node yourself and run again.",
            )
        before = await self._link.ask(lambda api: api.boot_state())
        began = self._options.clock.now()
        self._record(RebootStarted(name, because, before.boot_time.isoformat()))
        is_ordered = await self._order()
        while not await self._came_back(before, began, is_ordered=is_ordered):
            is_ordered = await self._order_again()
        self.happened(began)

    async def ended_by_itself(self, before: BootState) -> bool:
        """Wait a moment for the end of a reboot that an earlier process may have ordered.

        Returns False when the node stays in the same boot.
        """
        began = self._options.clock.now()
        if not await self._came_back(before, began, is_ordered=False):
            return False
        self.happened(began)
        return True

    def happened(self, began: float) -> None:
        """Note a reboot that is over; the link knows the new boot already."""
        self.count += 1
        duration = self._options.clock.now() - began
        self._record(RebootFinished(self._work.name, self._link.boot.boot_time.isoformat(), duration))

    async def _order(self) -> bool:
        """Order the restart; False when nobody knows whether the order arrived."""
        try:
            await self._link.api.restart()
        except BROKEN:
            return False
        return True

    async def _order_again(self) -> bool:
        """Order the restart once more; False when nobody knows whether it is under way."""
        try:
            return await self._order()
        except NodeError:
            # Windows refuses a second order while it obeys the first; the time limit has the last word.
            return False

    async def _came_back(self, before: BootState, began: float, *, is_ordered: bool) -> bool:
        """Wait for another boot; False when no restart was surely ordered and the node just stays up."""
        clock = self._options.clock
        start = clock.now()
        limit = self._work.limits.reboot_timeout_s
        seen = "the node did not restart"
        for delay in self._options.poll.delays():
            try:
                await self._link.api.open()
                boot = await self._link.api.boot_state()
                if boot.is_another_boot(before):
                    # A node is back when its LCM answers, not when its network does.
                    self._link.lcm_state = (await self._link.api.meta_configuration()).state
                    self._link.boot = boot
                    return True
                if not is_ordered and clock.now() - start >= self._options.poll.restart_takes_s:
                    return False
            except (TransportError, NodeError) as error:  # anything may be heard from a node that goes down
                seen = error.reason
                await self._link.api.close()
            if clock.now() - began >= limit:
                break
            await clock.sleep(delay)
        raise RebootTimeout(
            self._work.name,
            f"the node is not back {limit:g} s after its restart ({seen})",
            help="Look at its console. Run the same command again when it answers.",
        )
