"""Consistency runs: an LCM looks after its node, because it was asked to or because its time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.lcm import events
from provisioner.lab.lcm.engine import CHECKING, CONSISTENCY_CHECK, CONTINUING, Engine, new_job_id
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.jobs.run import ResourceFailure
from provisioner.lab.lcm.status import StatusRecord

CONSISTENCY: Final = "Consistency"
REBOOT: Final = "Reboot"
#: Flags of PerformRequiredConfigurationChecks (LCM class facts 1.4).
_CHECK, _CONTINUE, _PULL, _SEND_STATUS = 1, 2, 4, 8

Out = dict[str, Any]


async def perform_required_configuration_checks(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Do what the flags ask for: check, continue after a restart. Nobody reports to, or pulls from, anywhere.

    Raises:
        LcmError: unknown flags, a pull on a node that pulls, or the run failed.
    """
    flags = int(arguments["Flags"])
    if not flags or flags & ~(_CHECK | _CONTINUE | _PULL | _SEND_STATUS):
        raise LcmError.of(f"The value {flags} of parameter Flags is not valid.", 4)
    await engine.make_way(CONSISTENCY_CHECK, force=False, keep_pending=True)
    if flags & _PULL and str(engine.store.settings["RefreshMode"]).casefold() == "pull":
        raise LcmError.of("The attempt to get the action from the pull server failed: the lab has none.", 1)
    if flags & _CONTINUE and engine.store.pending is not None:
        job_id = engine.store.job_id or new_job_id()
        await engine.outcome(engine.begin(job_id, REBOOT, CONSISTENCY_CHECK, CONTINUING))
    elif flags & (_CHECK | _PULL):
        await check(engine)
    return {}


async def check(engine: Engine) -> None:
    """Apply what is pending; else mend or only test what is current, as ConfigurationMode says.

    Raises:
        LcmError: something failed.
    """
    store = engine.store
    current = store.current
    mode = str(store.settings["ConfigurationMode"]).casefold()
    if store.pending is None:
        if current is None:
            events.write(engine.host.machine, events.NOTHING_THERE, "")
            return
        if mode == "applyonly":
            return
        if mode != "applyandautocorrect":
            await _monitor(engine)
            return
        store.retry(current, new_job_id())
    job_id = store.job_id or new_job_id()
    await engine.outcome(engine.begin(job_id, CONSISTENCY, CONSISTENCY_CHECK, CHECKING))
    events.write(engine.host.machine, events.CONSISTENT, job_id)


class Rounds:
    """The runs nobody asked for: begun by the timer of an LCM, one at a time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start a run, unless the LCM is busy: then the next one is a whole interval away."""
        if self._engine.busy_with:
            self._engine.schedule.update(self._engine.store)
            return
        name = f"consistency {self._engine.host.computer_name}"
        self._task = asyncio.get_running_loop().create_task(self._run(), name=name)

    async def _run(self) -> None:
        try:
            await check(self._engine)
        except LcmError as error:
            # Nobody waits for it: the status record and the event are all there is.
            text = error.message.text.splitlines()[0]  # the rest of it may quote the document
            events.write(self._engine.host.machine, events.ENGINE_ERROR, "", text)
        finally:
            self._engine.schedule.update(self._engine.store)

    async def end(self) -> None:
        """Cut a run short and wait until it is gone."""
        self.abort()
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    def abort(self) -> None:
        """Cut a run short, because the node goes down."""
        if self._task is not None:
            self._task.cancel()


async def _monitor(engine: Engine) -> None:
    """Test Current and leave a record; what differs is told, not mended.

    A restart that a Test asks for counts here (assumption): nodes in this mode have been seen to restart from a
    consistency run, which sets nothing.
    """
    host, store = engine.host, engine.store
    job_id, started = new_job_id(), host.now()
    with engine.busy(CONSISTENCY_CHECK, CHECKING):
        document = engine.document(None)
        run = engine.new_pass()
        failure: ResourceFailure | None = None
        try:
            await run.test(document.resources)
        except ResourceFailure as error:
            failure = error
        will_restart = run.was_flagged and bool(store.settings["RebootNodeIfNeeded"])
        if run.was_flagged:
            store.state = "PendingReboot"
        store.remember(
            StatusRecord(
                job_id,
                CONSISTENCY,
                "Failure" if failure else "Success",
                run.was_flagged,
                started.isoformat(),
                (host.now() - started).total_seconds(),
                len(document.resources),
                document.metadata,
                failure.message.text if failure else "",
                resources=tuple(run.records),
            ),
            host.now(),
        )
        host.record("consistency", job=job_id, status="Failure" if failure else "Success")
        events.write(host.machine, events.FAILED if failure else events.CONSISTENT, job_id)
        host.save()
    if will_restart:
        events.write(host.machine, events.RESTARTING, job_id)
        host.restart()
    if failure:
        raise LcmError(failure.message) from failure
