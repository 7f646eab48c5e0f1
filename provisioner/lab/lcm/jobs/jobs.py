"""Applying a document as a job that nobody needs to wait for: one at a time, stoppable, continued after a restart.

A job is a task of its own. The connection, shell or pipeline that started it may go; only the node's own restart
or StopConfiguration ends it early.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from provisioner.lab.lcm import events
from provisioner.lab.lcm.documents.credentials import decrypted
from provisioner.lab.lcm.documents.document import ConfigurationDocument, check, record_refusal
from provisioner.lab.lcm.documents.schema import NodeClasses
from provisioner.lab.lcm.errors import LcmError, LcmMessage
from provisioner.lab.lcm.host import FindResource, LcmHost
from provisioner.lab.lcm.jobs.job_log import FOLLOWER, STATUS_FOLDER, JobLog, keep, load
from provisioner.lab.lcm.jobs.run import Pass
from provisioner.lab.lcm.status import StatusRecord
from provisioner.lab.lcm.store import Store

_CANCELLED = LcmMessage("The current configuration was cancelled.", "MI RESULT 1", "NotSpecified")
_DID_NOT_SUCCEED = LcmMessage(
    "The SendConfigurationApply function did not succeed.", "MI RESULT 1", "NotSpecified"
)


@dataclass(slots=True)
class Job:
    """One running application of the pending document. ``type`` is that of its status record."""

    job_id: str
    type: str
    document: ConfigurationDocument
    task: asyncio.Task[LcmError | None] | None = None
    is_cancelled: bool = False
    is_aborted: bool = False


class Jobs:
    """Runs jobs on one node and keeps their logs."""

    def __init__(
        self, host: LcmHost, store: Store, classes: NodeClasses, find_resource: FindResource
    ) -> None:
        self._host = host
        self.store = store
        self._classes = classes
        self._find_resource = find_resource
        self._logs: dict[str, JobLog] = {}
        self.running: Job | None = None

    def start(self, job_id: str, kind: str) -> Job:
        """Check the pending document and begin to apply it.

        Raises:
            LcmError: the document is refused. It stays pending, and the refusal is in the history.
        """
        pending = self.store.pending
        assert pending is not None, "whoever starts a job has put its document there"
        started = self._host.now()
        try:
            document = decrypted(
                check(pending, self._classes),
                self.store.settings["CertificateID"],
                self._host.machine.certificates,
            )
        except LcmError as error:
            self.store.state = "PendingConfiguration"
            self._remember(
                StatusRecord(
                    job_id, kind, "Failure", False, started.isoformat(), 0.0, error=error.message.text
                )
            )
            record_refusal(self._host, error)
            events.write(self._host.machine, events.REFUSED, job_id, error.message.text.splitlines()[0])
            self._host.record("job-refused", job=job_id, error_id=error.message.error_id)
            self._host.save()
            raise
        # A consistency run leaves no log of its own, but one that goes on with an earlier job writes into that.
        output = self.log(job_id) or JobLog(job_id, self._host, is_kept=kind != "Consistency")
        output.follower = FOLLOWER.get()
        self._logs = {job_id: output}
        output.begin_leg()
        job = Job(job_id, kind, document)
        self.running = job
        self._host.record(
            "job-started", job=job_id, leg=output.leg, type=kind, resources=len(document.resources)
        )
        self._host.save()
        events.write(
            self._host.machine,
            events.ARRIVED,
            job_id,
            f"{kind} was started by S-1-5-18 from {self._host.computer_name}.",
        )
        job.task = asyncio.create_task(
            self._run(job, output), name=f"lcm {self._host.computer_name} {job_id}"
        )
        return job

    def log(self, job_id: str) -> JobLog | None:
        """Find the log of a job, also of one that ran before the lab was started."""
        if job_id not in self._logs:
            found = load(job_id, self._host)
            if found is None:
                return None
            self._logs[job_id] = found
        return self._logs[job_id]

    def stop(self, *, force: bool) -> None:
        """Stop the running job: at once with ``force``, else after the resource it is at. Does not wait."""
        job = self.running
        if job is None:
            return
        job.is_cancelled = True
        if force and job.task:
            job.task.cancel()

    async def finished(self, job: Job) -> None:
        """Wait until a job has ended, however it ended."""
        if job.task:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([job.task])

    def abort(self) -> None:
        """End the running job because the node goes down: it leaves no status record and stays pending."""
        job = self.running
        if job is None:
            return
        job.is_aborted = True
        self.running = None
        if job.task:
            job.task.cancel()
        self._host.record("job-aborted", job=job.job_id)
        if job.job_id in self._logs:
            self._logs[job.job_id].flush()
        self.store.state = "PendingConfiguration"

    async def end(self) -> None:
        """Abort the running job and wait until it is gone."""
        job = self.running
        self.abort()
        if job:
            await self.finished(job)

    async def _run(self, job: Job, output: JobLog) -> LcmError | None:
        started = self._host.now()
        output.verbose(
            f"An LCM method call arrived from computer {self._host.computer_name} with user sid "
            "S-1-5-21-1004336348-1177238915-682003330-500."
        )
        run = Pass(self._host, self._find_resource, output, is_cancelled=lambda: job.is_cancelled)
        try:
            await run.apply(job.document.resources)
        except asyncio.CancelledError:
            if job.is_aborted or not job.is_cancelled:
                raise
        except Exception as error:  # noqa: BLE001 - a bug of the lab must neither look like success nor hide
            text = f"the lab itself failed: {error!r}"
            run.errors.append(LcmMessage(text, "LabFailure", "NotSpecified"))
            output.error(run.errors[-1])
        return self._end(job, output, run, started)

    def _end(self, job: Job, output: JobLog, run: Pass, started: datetime) -> LcmError | None:
        has_failed = bool(run.errors) or job.is_cancelled
        final = _CANCELLED if job.is_cancelled else _final(run.errors)
        if has_failed:
            output.error(final)
        will_restart = run.reboot_requested and bool(self.store.settings["RebootNodeIfNeeded"])
        if run.reboot_requested:
            output.warning(f"[{self._host.computer_name}]:{' ' * 28}[] {_restart_text(will_restart)}")
            output.reboot(is_automatic=will_restart)
        elapsed = (self._host.now() - started).total_seconds()
        output.verbose(f"Operation 'Invoke CimMethod' complete. Time taken is {elapsed:.3f} seconds")
        output.result(int(final.error_id.rpartition(" ")[2]) if has_failed else 0)
        output.flush()
        self._rest(run, has_failed=has_failed)
        record = StatusRecord(
            job.job_id,
            job.type,
            "Failure" if has_failed else "Success",
            run.reboot_requested,
            started.isoformat(),
            elapsed,
            len(job.document.resources),
            job.document.metadata,
            final.text if has_failed else "",
            resources=tuple(run.records),
        )
        self._remember(record)
        self.running = None
        self._note(job, record, output.leg)
        self._host.save()
        if will_restart:
            events.write(self._host.machine, events.RESTARTING, job.job_id)
            self._host.restart()
        return LcmError(final, tuple(run.errors)) if has_failed else None

    def _rest(self, run: Pass, *, has_failed: bool) -> None:
        """Put the LCM into the state it rests in after a run (LCM behaviour 2.5)."""
        if run.reboot_requested:
            self.store.state = "PendingReboot"
        elif has_failed:
            self.store.state = "PendingConfiguration"
        else:
            try:
                self.store.settle()
            except LcmError as error:
                # The disk did not take it: what was reached is still pending, and the next run finds it reached.
                self.store.state = "PendingConfiguration"
                events.write(self._host.machine, events.ENGINE_ERROR, self.store.job_id, error.message.text)

    def _note(self, job: Job, record: StatusRecord, leg: int) -> None:
        """Leave the end of a job in the journal and the event log."""
        machine = self._host.machine
        self._host.record(
            "job-ended",
            job=job.job_id,
            leg=leg,
            status=record.status,
            reboot_requested=record.reboot_requested,
            changed=sum(each.state_changed for each in record.resources),
        )
        if job.is_cancelled:
            events.write(machine, events.CANCELLED, job.job_id)
        elif record.error:
            events.write(machine, events.REFUSED, job.job_id, record.error)
        elif not record.reboot_requested:
            events.write(machine, events.APPLIED, job.job_id)
        events.write(machine, events.COMPLETED, job.job_id, record.status)

    def _remember(self, record: StatusRecord) -> None:
        self.store.remember(record, self._host.now())
        text = (
            "instance of MSFT_DSCConfigurationStatus\r\n{\r\n"
            f' JobID = "{record.job_id}";\r\n Type = "{record.type}";\r\n Status = "{record.status}";\r\n}};\r\n'
        )
        path = rf"{STATUS_FOLDER}\{record.job_id}.mof"
        keep(self._host, path, b"\xff\xfe" + text.encode("utf-16-le"))


def _restart_text(will_restart: object) -> str:
    if will_restart:
        return "A reboot is scheduled to progress further. Configuration will be continued after the reboot."
    return "A reboot is required to progress further. Please reboot the system."


def _final(errors: Sequence[LcmMessage]) -> LcmMessage:
    """Say at the end that it failed, with the MI result of the first failure where that has one of its own."""
    if errors and errors[0].category == "PermissionDenied":
        return LcmMessage(_DID_NOT_SUCCEED.text, "MI RESULT 2", "PermissionDenied")
    return _DID_NOT_SUCCEED
