"""The inside of an LCM: what it keeps, the one operation it is at, and how a document gets from bytes to a job.

One operation at a time; who comes second is told who is first. The methods of the LCM are written with this, each
in ``methods``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from provisioner.lab.lcm import cim, events
from provisioner.lab.lcm.documents.credentials import decrypted
from provisioner.lab.lcm.documents.document import (
    ConfigurationDocument,
    DocumentResource,
    check,
    record_refusal,
)
from provisioner.lab.lcm.documents.schema import NodeClasses
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.host import (
    BIG_ENDIAN,
    LITTLE_ENDIAN,
    RAW,
    FindResource,
    ForeignOperation,
    LcmHost,
    LcmOptions,
)
from provisioner.lab.lcm.jobs.job_log import JobLog
from provisioner.lab.lcm.jobs.jobs import Job, Jobs
from provisioner.lab.lcm.jobs.run import Pass
from provisioner.lab.lcm.schedule import Schedule
from provisioner.lab.lcm.store import Store
from provisioner.lab.machine.powershell import modules
from provisioner.lab.resources import generic
from provisioner.lab.resources.base import SimulatedResource
from provisioner.lab.values import PsObject

#: Largest document an LCM takes (LCM class facts 1.3).
MAX_DOCUMENT_BYTES = 10 * 1024 * 1024
_PREFIX_BYTES = 4

APPLYING = "LCM is applying a new configuration."
CONTINUING = "LCM is continuing applying configuration after last reboot."
CHECKING = "LCM is performing a consistency check."
TESTING = "LCM is testing node against the configuration."
CONSISTENCY_CHECK = "Consistency Check or Pull"


@dataclass(slots=True)
class Operation:
    """What the LCM is busy with. ``cmdlet`` is the name others are told."""

    cmdlet: str
    detail: str
    lets_meta_through: bool = True


class Engine:
    """One LCM from inside."""

    def __init__(self, host: LcmHost, find_resource: FindResource, options: LcmOptions) -> None:
        """``find_resource`` gives resources with behaviour of their own; generic ones are found here."""
        self.host = host
        self.options = options
        self._find_specific = find_resource
        self.classes = NodeClasses(lambda name, version: modules.is_there(host.machine.files, name, version))
        self.store = Store(host.machine.files)
        self.jobs = Jobs(host, self.store, self.classes, self.find_resource)
        self.operation: Operation | None = None
        #: Runs a consistency check when its time has come; set by whoever knows how to run one.
        self.schedule = Schedule(host, lambda: None)
        self.agent_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, host.computer_name)).upper()

    # -- state ------------------------------------------------------------------------------------------------

    @property
    def busy_with(self) -> Operation | ForeignOperation | None:
        """What runs now, our own or somebody else's."""
        return self.operation or self.host.misbehaviour.foreign_operation()

    @property
    def state(self) -> str:
        """LCMState."""
        return "Busy" if self.busy_with else self.store.resting_state

    @property
    def state_detail(self) -> str:
        """LCMStateDetail: only filled while Busy."""
        running = self.busy_with
        return running.detail if running else ""

    def meta(self) -> PsObject:
        """Give the settings and the state as the object clients see."""
        self.look_at_settings()
        return cim.meta_configuration(self.store.settings, self.state, self.state_detail, self.agent_id)

    def look_at_settings(self) -> None:
        """Take note of a file of settings that somebody changed or damaged."""
        if reason := self.store.look_at_settings():
            events.write(self.host.machine, events.META_CORRUPT, "", reason.splitlines()[0])
            self.host.record("meta-configuration-corrupt")

    # -- the one operation ------------------------------------------------------------------------------------

    @contextmanager
    def busy(self, cmdlet: str, detail: str, *, lets_meta_through: bool = True) -> Iterator[None]:
        """Hold the LCM for as long as the block runs.

        Raises:
            LcmError: somebody else holds it.
        """
        if self.busy_with:
            raise self.in_progress(cmdlet)
        self.operation = operation = Operation(cmdlet, detail, lets_meta_through)
        self.look_at_settings()
        try:
            yield
        finally:
            self.release(operation)

    def begin(self, job_id: str, kind: str, cmdlet: str, detail: str) -> Job:
        """Start to apply the pending document; the LCM is busy until the job's end.

        Raises:
            LcmError: the document is refused. It stays pending.
        """
        self.operation = operation = Operation(cmdlet, detail)
        self.look_at_settings()
        try:
            job = self.jobs.start(job_id, kind)
        except LcmError:
            self.release(operation)
            raise
        assert job.task is not None
        job.task.add_done_callback(lambda _task: self.release(operation))
        return job

    def release(self, operation: Operation) -> None:
        """End an operation, unless another one has taken its place."""
        if self.operation is operation:
            self.operation = None
            self.schedule.update(self.store)

    async def outcome(self, job: Job) -> None:
        """Wait for a job; who waits may go away without harm to it.

        Raises:
            LcmError: it failed.
        """
        await self.jobs.finished(job)
        if job.task and not job.task.cancelled() and (error := job.task.result()):
            raise error

    async def make_way(self, cmdlet: str, *, force: bool, keep_pending: bool = False) -> None:
        """Get the LCM free, and the place of the pending document, as far as ``force`` allows.

        Raises:
            LcmError: somebody is at work and cannot or must not be stopped, or a document is pending.
        """
        if self.busy_with:
            job = self.jobs.running
            if not force or job is None:
                raise self.in_progress(cmdlet)
            if self.host.misbehaviour.ignores_stop():
                raise LcmError.of("Could not wait for the stopping event.")
            self.jobs.stop(force=True)
            await self.jobs.finished(job)
        # PendingReboot takes a new push without force, PendingConfiguration does not (LCM behaviour 2.2).
        if not keep_pending and not force and self.store.resting_state == "PendingConfiguration":
            raise LcmError.of(
                "A configuration is pending. Please run Update-DscConfiguration or Start-DscConfiguration "
                "command with -Force parameter.",
                11,
            )

    def demand_push_mode(self, *, force: bool) -> None:
        """Refuse a push the settings do not allow; ``force`` turns pull into push.

        Raises:
            LcmError: pull without force, partial configurations, or RefreshMode Disabled.
        """
        mode = str(self.store.settings["RefreshMode"]).casefold()
        if self.store.settings["PartialConfigurations"]:
            raise LcmError.of(
                "A configuration cannot be pushed to a node with partial configurations. Publish it instead.",
                7,
            )
        if mode == "disabled":
            raise LcmError.of("The Local Configuration Manager is disabled: RefreshMode is Disabled.", 1)
        if mode == "pull":
            if not force:
                raise LcmError.of(
                    "A PUSH operation was requested without -Force while configured for PULL processing.", 4
                )
            self.store.settings = {**self.store.settings, "RefreshMode": "PUSH"}

    def in_progress(self, cmdlet: str) -> LcmError:
        """Build the refusal of who comes second, and leave its event."""
        running = self.busy_with
        error = LcmError.of(
            f"Cannot invoke the {cmdlet} cmdlet. The {running.cmdlet if running else CONSISTENCY_CHECK} cmdlet "
            f"is in progress and must return before {cmdlet} can be invoked. Use -Force option if that is "
            "available to cancel the current operation."
        )
        events.write(self.host.machine, events.REFUSED, "", error.message.text)
        return error

    # -- documents --------------------------------------------------------------------------------------------

    def payload(self, data: bytes) -> bytes:
        """Take the document out of ConfigurationData, in a form this node understands.

        A length of the whole array in the first four bytes is dropped; anything else counts as document from its
        first byte, so that a length in an order the node does not know becomes four bytes of garbage (LCM class
        facts 1.3).

        Raises:
            LcmError: there is no such length on a node that needs one, or the document is too large.
        """
        accepts = self.options.accepts
        length = data[:_PREFIX_BYTES]
        is_prefixed = (BIG_ENDIAN in accepts and int.from_bytes(length, "big") == len(data)) or (
            LITTLE_ENDIAN in accepts and int.from_bytes(length, "little") == len(data)
        )
        if not is_prefixed and RAW not in accepts:
            raise LcmError.of("Buffer is not supported. Check encoding and length of the buffer")
        document = data[_PREFIX_BYTES:] if is_prefixed else data
        if len(document) > MAX_DOCUMENT_BYTES:
            raise LcmError.of("MOF file size exceeded max size limit.", 27)
        return document

    def framed(self, document: bytes) -> bytes:
        """Put the length before a document in the way this node understands; see ``payload``."""
        if RAW in self.options.accepts:
            return document
        is_big = BIG_ENDIAN in self.options.accepts
        length = len(document) + _PREFIX_BYTES
        return length.to_bytes(_PREFIX_BYTES, "big" if is_big else "little") + document

    def document(self, data: bytes | None) -> ConfigurationDocument:
        """Give a document that was sent, or else Current, or else Pending, as resources see it.

        Raises:
            LcmError: there is none, or it is refused.
        """
        stored = self.store.current if self.store.current is not None else self.store.pending
        document = self.payload(data) if data else stored
        if document is None:
            raise no_current()
        try:
            return decrypted(
                check(document, self.classes),
                self.store.settings["CertificateID"],
                self.host.machine.certificates,
            )
        except LcmError as error:
            record_refusal(self.host, error)
            raise

    def resting_document(self) -> Sequence[DocumentResource]:
        """Give the resources of the document the node was last given; none when there is none to read."""
        stored = self.store.current if self.store.current is not None else self.store.pending
        if stored is None:
            return ()
        try:
            return check(stored, self.classes).resources
        except LcmError:
            return ()

    def find_resource(self, class_name: str, module: str) -> SimulatedResource | None:
        """Find what simulates a class: behaviour of its own, else a generic resource, else nothing."""
        return self._find_specific(class_name, module) or generic.find(
            class_name, module, self.classes.registry
        )

    def new_pass(self) -> Pass:
        """Make a pass that belongs to no job and leaves no files."""
        return Pass(self.host, self.find_resource, JobLog(new_job_id(), self.host, is_kept=False))


def no_current() -> LcmError:
    """Build the refusal of an LCM without any document."""
    return LcmError.of(
        "Current configuration does not exist. Execute Start-DscConfiguration command with -Path parameter to "
        "specify a configuration file and create a current configuration first."
    )


def new_job_id() -> str:
    """Make a job id as an LCM shows it: in braces, upper case."""
    return f"{{{uuid.uuid4()}}}".upper()


def job_id_of(arguments: Mapping[str, Any]) -> str:
    """Give the job id of a call, or a new one for none.

    Raises:
        LcmError: it is no GUID.
    """
    text = arguments.get("jobId")
    if not text:
        return new_job_id()
    try:
        return f"{{{uuid.UUID(str(text))}}}".upper()
    except ValueError:
        raise LcmError.of(f"The job id {text} is not a GUID.", 4) from None
