"""The LCM as the engine drives it: wait until it is idle, hand over a document, follow the job to its end.

The LCM does one thing at a time; the only question it answers while Busy is GetMetaConfiguration, so that is
the heartbeat. A job lives on the node, not in our connection: losing the connection loses nothing.

Source: LCM behaviour facts, 2.1 to 2.6, 2.9 and 2.12.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from provisioner.engine.link import BROKEN
from provisioner.errors import LcmError, NodeError
from provisioner.events import LcmBusy, ResourceProgress

if TYPE_CHECKING:
    from provisioner.addresses import NodeName
    from provisioner.engine.link import Link
    from provisioner.engine.work import ApplyOptions, NodeWork, Record
    from provisioner.node.base import (
        ConfigurationStatus,
        JobMessage,
        MetaConfiguration,
        NodeApi,
        ResourceState,
    )

Answer = TypeVar("Answer")

BUSY = "Busy"
PENDING_REBOOT = "PendingReboot"

#: A call that meets a busy LCM, or loses its connection, is made at most this often.
_TRIES = 5

#: What a busy LCM says, in the part that names no cmdlet (behaviour facts, 2.1).
_BUSY_WORDS = "is in progress and must return before"

#: ``[HOST]: LCM:  [ Start  Set      ]  [[Type]Name]``
_STEP = re.compile(r"LCM:\s+\[\s*Start\s+(?P<phase>Test|Set|Get)\s*\]\s+\[(?P<resource>\[\w+\].+)\]\s*$")
#: ``[HOST]:                            [[Type]Name] message``
_TEXT = re.compile(r"^\s*(?:\[[^\]]*\]:)?\s*\[(?P<resource>\[\w+\][^\]]+)?\]\s+(?P<text>.+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JobEnd:
    """How a job ended. ``status`` is None when the LCM kept no record of it; ``errors`` came with the output."""

    status: ConfigurationStatus | None
    meta: MetaConfiguration
    errors: tuple[ResourceState, ...]


class Lcm:
    """The LCM of one node."""

    def __init__(self, work: NodeWork, options: ApplyOptions, link: Link, record: Record) -> None:
        self._work = work
        self._options = options
        self._link = link
        self._record = record

    async def idle(self) -> MetaConfiguration:
        """Wait until the LCM is not Busy, and return its state then.

        Raises:
            LcmError: it stayed Busy for longer than allowed.
        """
        clock = self._options.clock
        limit = self._work.limits.lcm_timeout_s
        deadline = clock.now() + limit
        told: str | None = None
        for delay in self._options.poll.delays():
            meta = await self._link.meta_configuration()
            if meta.state != BUSY:
                return meta
            if meta.state_detail != told:
                told = meta.state_detail
                self._record(LcmBusy(self._work.name, told))
            if clock.now() >= deadline:
                break
            await clock.sleep(delay)
        raise LcmError(
            self._work.name,
            f"the LCM has been busy for {limit:g} s with something this run did not start"
            f" ({told or 'it gives no detail'})",
            last_state=BUSY,
            help="Run again when it has ended, raise lcm_timeout in the section 'connection', or stop it on the "
            "node with Stop-DscConfiguration -Force.",
        )

    async def when_idle(self, call: Callable[[NodeApi], Awaitable[Answer]]) -> Answer:
        """Make a call that needs an idle LCM and may be made twice."""
        tries = 1
        while True:
            try:
                return await call(self._link.api)
            except BROKEN as error:
                await self._link.reconnect(error)
                if tries >= _TRIES:
                    raise
            except NodeError as error:
                if tries >= _TRIES or not await self._was_busy(error):
                    raise
            tries += 1
            await self.idle()

    async def hand_over(self, job_id: str) -> bool:
        """Start the job ``job_id``, once. Returns whether it was found running instead.

        When the answer to our call is lost, the node is asked whether the job is there before it is sent again.

        Raises:
            NodeError: the LCM refused the document.
        """
        tries = 1
        while True:
            # What came just before the first try found the LCM idle, and a busy LCM refuses the document.
            if tries > 1:
                await self.idle()
            try:
                await self._link.api.start(self._work.document, job_id)
            except BROKEN as error:
                await self._link.reconnect(error)
                if tries >= _TRIES:
                    raise
            except NodeError as error:
                if tries >= _TRIES or not await self._was_busy(error):
                    raise
            else:
                # It took the document: what it said before is no longer the last we know of it.
                self._link.lcm_state = BUSY
                return False
            if await self.has_arrived(job_id):
                return True
            tries += 1

    async def _was_busy(self, error: NodeError) -> bool:
        """Tell whether a call was refused because the LCM was at work.

        By the time we ask, it may be idle again: then its words tell, where they are English. On other nodes they
        are not, but the state is never translated.
        """
        return _BUSY_WORDS in str(error) or (await self._link.meta_configuration()).state == BUSY

    async def has_arrived(self, job_id: str) -> bool:
        """Ask whether a document whose fate is unknown became a job; it is given a moment to show up."""
        clock = self._options.clock
        deadline = clock.now() + self._options.poll.job_appears_s
        for delay in self._options.poll.delays():
            is_over = clock.now() >= deadline
            try:
                if await self._link.ask(lambda api: api.job_exists(job_id)):
                    return True
            except LcmError:
                # A busy LCM does not serve its history; what keeps it busy may be our job.
                if is_over:
                    await self.idle()
                    return await self._link.ask(lambda api: api.job_exists(job_id))
            if is_over:
                break
            await clock.sleep(delay)
        return False

    async def follow(self, job_id: str) -> JobEnd:
        """Follow a job until the LCM is not Busy any more, reporting progress.

        Raises:
            LcmError: the job took longer than allowed.
        """
        clock = self._options.clock
        began = clock.now()
        bookmark: bytes | None = None
        errors: list[ResourceState] = []
        for delay in self._options.poll.delays():
            # A job that was just handed over is not done yet.
            await clock.sleep(delay)
            meta = await self._heartbeat()
            output = await self._link.ask(lambda api, mark=bookmark: api.output(job_id, mark))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            bookmark = output.bookmark or bookmark
            errors += output.errors
            for message in output.messages:
                step = progress_of(self._work.name, message)
                if step:
                    self._record(step)
            if meta.state != BUSY:
                try:
                    status = await self._status(job_id)
                except LcmError:
                    # Something else, such as a consistency check, may have begun just now.
                    if (await self._heartbeat()).state != BUSY:
                        raise
                    continue
                # An accepted job may need a moment before the LCM shows it.
                if status or clock.now() - began >= self._options.poll.job_appears_s:
                    return JobEnd(status, meta, tuple(errors))
            elif clock.now() - began >= self._work.limits.job_timeout_s:
                break
        raise LcmError(
            self._work.name,
            f"the job {job_id} did not end within {self._work.limits.job_timeout_s:g} s",
            last_state=BUSY,
            help="The job goes on on the node. Run the same command again later, or raise job_timeout.",
        )

    async def _heartbeat(self) -> MetaConfiguration:
        """Read the LCM state; WMI of a node that is about to restart may fail a few times."""
        tries = 1
        for delay in self._options.poll.delays():
            try:
                return await self._link.meta_configuration()
            except NodeError:
                if tries >= _TRIES:
                    raise
            tries += 1
            await self._options.clock.sleep(delay)
        raise AssertionError  # the delays have no end

    async def _status(self, job_id: str) -> ConfigurationStatus | None:
        """Find the newest record of a job."""
        wanted = job_id.strip("{}").casefold()
        statuses = await self._link.ask(lambda api: api.statuses())
        return next((status for status in statuses if status.job_id.strip("{}").casefold() == wanted), None)


def progress_of(node: NodeName, message: JobMessage) -> ResourceProgress | None:
    """Return the step a line announces: a Test or Set that begins, or a warning of a resource.

    The other lines (ends, skips, chatter of resources) stay in the node's own logs.
    """
    if message.kind == "warning":
        text = _TEXT.match(message.text)
        return ResourceProgress(
            node,
            (text["resource"] or "") if text else "",
            "Warning",
            text["text"].strip() if text else message.text.strip(),
        )
    step = _STEP.search(message.text)
    return ResourceProgress(node, step["resource"], step["phase"]) if step else None
