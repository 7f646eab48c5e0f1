"""The Local Configuration Manager of a simulated node: the methods of MSFT_DSCLocalConfigurationManager.

One operation at a time; who comes second is told who is first. GetMetaConfiguration is always answered. Which
facts stand behind each rule is said where the rule is; what nobody knows about Windows is a node setting or
marked as an assumption. Nothing here knows how a call reached the node.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from provisioner.lab.lcm import cim, settings
from provisioner.lab.lcm.documents.credentials import decrypted
from provisioner.lab.lcm.documents.document import ConfigurationDocument, check, record_refusal
from provisioner.lab.lcm.documents.schema import NodeClasses
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.host import FindResource, LcmHost, LcmOptions
from provisioner.lab.lcm.jobs.job_log import JobLog
from provisioner.lab.lcm.jobs.jobs import Job, Jobs
from provisioner.lab.lcm.jobs.run import Pass, ResourceFailure
from provisioner.lab.lcm.status import StatusRecord
from provisioner.lab.lcm.store import Store
from provisioner.lab.values import PsObject

#: Largest document an LCM takes (LCM class facts 1.3).
MAX_DOCUMENT_BYTES = 10 * 1024 * 1024
_PREFIX_BYTES = 4
_APPLYING = "LCM is applying a new configuration."
_CONTINUING = "LCM is continuing applying configuration after last reboot."
_CHECKING = "LCM is performing a consistency check."
_TESTING = "LCM is testing node against the configuration."

Out: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Method:
    """One method. ``parameters`` maps the names it takes to ``bytes``, ``bool``, ``str`` or ``int``."""

    run: Callable[[Lcm, Mapping[str, Any]], Awaitable[Out]]
    parameters: Mapping[str, type]
    required: tuple[str, ...] = ()


@dataclass(slots=True)
class _Operation:
    """What the LCM is busy with. ``cmdlet`` is the name others are told."""

    cmdlet: str
    detail: str
    lets_meta_through: bool = True


class Lcm:
    """The LCM of one node."""

    def __init__(
        self,
        host: LcmHost,
        modules: Sequence[tuple[str, str]],
        find_resource: FindResource,
        options: LcmOptions | None = None,
    ) -> None:
        """Set up an LCM nobody configured yet. ``modules`` are (name, version) on the node's module path."""
        self._host = host
        self._find_resource = find_resource
        self._options = options or LcmOptions()
        self._classes = NodeClasses(modules)
        self._store = Store()
        self._jobs = Jobs(host, self._store, self._classes, find_resource)
        self._operation: _Operation | None = None
        self._agent_id = str(uuid.uuid5(uuid.NAMESPACE_DNS, host.computer_name)).upper()

    # -- what the node sees ---------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """LCMState."""
        return "Busy" if self._operation else self._store.state

    @property
    def state_detail(self) -> str:
        """LCMStateDetail: only filled while Busy."""
        return self._operation.detail if self._operation else ""

    def to_plain(self) -> dict[str, Any]:
        """Give what survives the end of the lab."""
        return self._store.to_plain()

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take what ``to_plain`` gave. A job that was running then is pending now."""
        self._store = Store.from_plain(plain)
        if self._store.pending is not None and self._store.state == "Idle":
            self._store.state = "PendingConfiguration"
        self._jobs = Jobs(self._host, self._store, self._classes, self._find_resource)

    def on_shutdown(self) -> None:
        """End what runs, because the node goes down."""
        self._jobs.abort()
        self._operation = None

    async def stop(self) -> None:
        """End what runs, for good; a job stays pending."""
        await self._jobs.end()
        self._operation = None

    def on_boot(self) -> None:
        """Continue the pending document, unless the settings leave that to whoever restarted the node.

        With StopConfiguration the restart that was asked for has happened, so PendingReboot is over and the
        document merely pending (assumption: no source shows the state between this boot and the next push).
        """
        store = self._store
        if store.pending is None:
            if store.state == "PendingReboot":
                store.state = "Idle"
            return
        store.state = "PendingConfiguration"
        if store.settings["ActionAfterReboot"] == "ContinueConfiguration":
            try:
                self._begin(store.job_id or _new_job_id(), "Reboot", "Consistency Check or Pull", _CONTINUING)
            except LcmError as error:
                self._host.record("job-refused", job=store.job_id, error_id=error.message.error_id)

    async def invoke(self, method: str, arguments: Mapping[str, Any]) -> Out:
        """Call a method by its exact name with checked arguments; give its out parameters.

        Raises:
            LcmError: the LCM refuses, or the operation failed.
        """
        self._host.record("lcm-method", method=method)
        return await METHODS[method].run(self, arguments)

    # -- documents ------------------------------------------------------------------------------------------

    def _payload(self, data: bytes) -> bytes:
        """Take the document out of ConfigurationData.

        A big-endian length of the whole array is dropped; anything else counts as document from its first byte,
        so a little-endian length becomes four bytes of garbage (LCM class facts 1.3).
        """
        is_prefixed = int.from_bytes(data[:_PREFIX_BYTES], "big") == len(data)
        document = data[_PREFIX_BYTES:] if is_prefixed or not self._options.accepts_raw else data
        if len(document) > MAX_DOCUMENT_BYTES:
            raise LcmError.of("MOF file size exceeded max size limit.", 27)
        return document

    async def send_meta_configuration_apply(self, arguments: Mapping[str, Any]) -> Out:
        """Take settings over; what the document does not name returns to its default."""
        with self._busy("Set-DscLocalConfigurationManager", "", lets_meta_through=False):
            started = self._host.now()
            self._store.settings = settings.from_document(self._payload(arguments["ConfigurationData"]))
            self._host.record("meta-configuration", settings=self._store.settings)
            self._store.remember(
                StatusRecord(
                    _new_job_id(),
                    "LocalConfigurationManager",
                    "Success",
                    False,
                    started.isoformat(),
                    (self._host.now() - started).total_seconds(),
                ),
                self._host.now(),
            )
            self._host.save()
        return {}

    async def get_meta_configuration(self, _arguments: Mapping[str, Any]) -> Out:
        """Give settings and state; answered while Busy, except while the settings are being set."""
        if self._operation and not self._operation.lets_meta_through:
            raise self._in_progress("Get-DscLocalConfigurationManager")
        return {"MetaConfiguration": self._meta()}

    async def send_configuration(self, arguments: Mapping[str, Any]) -> Out:
        """Store a document as pending without applying it."""
        document = self._payload(arguments["ConfigurationData"])
        await self._make_way("Publish-DscConfiguration", force=bool(arguments.get("force")))
        self._store.accept(document, _new_job_id())
        self._store.state = "PendingConfiguration"
        self._host.save()
        return {}

    async def send_configuration_apply(self, arguments: Mapping[str, Any]) -> Out:
        """Apply a document and wait for the end."""
        job = await self._push(arguments, _new_job_id())
        await self._outcome(job)
        return {}

    async def send_configuration_apply_async(self, arguments: Mapping[str, Any]) -> Out:
        """Begin to apply a document under the caller's job id and return.

        The document is read and checked before the method returns (assumption).
        """
        job_id = _job_id(arguments.get("jobId"))
        running = self._jobs.running
        if running and running.job_id == job_id:
            raise self._in_progress("Start-DscConfiguration")
        await self._push(arguments, job_id)
        return {}

    async def apply_configuration(self, arguments: Mapping[str, Any]) -> Out:
        """Apply what is there: Pending, else Current; with force Current even while one is pending [L]."""
        force = bool(arguments.get("force"))
        await self._make_way("Start-DscConfiguration", force=force, keep_pending=True)
        store = self._store
        if store.current is not None and (force or store.pending is None):
            store.pending, store.job_id = store.current, _new_job_id()
        if store.pending is None:
            raise _no_current()
        await self._outcome(self._begin(store.job_id, "Initial", "Start-DscConfiguration", _APPLYING))
        return {}

    async def test_configuration(self, arguments: Mapping[str, Any]) -> Out:
        """Test a document given, or Current, else Pending. Stores nothing."""
        data = arguments.get("configurationData")
        with self._busy("Test-DscConfiguration", _TESTING):
            document = self._document(data)
            run = self._pass()
            try:
                await run.test(document.resources)
            except ResourceFailure as failure:
                raise LcmError(failure.message) from failure
        in_state = [cim.resource_instance(each) for each in run.records if each.in_desired_state]
        not_in_state = [cim.resource_instance(each) for each in run.records if not each.in_desired_state]
        return {
            "InDesiredState": not not_in_state,
            "ResourcesInDesiredState": in_state or None,
            "ResourcesNotInDesiredState": not_in_state or None,
        }

    async def get_configuration(self, arguments: Mapping[str, Any]) -> Out:
        """Get the actual state of every resource of a document given, or of Current, else Pending."""
        data = arguments.get("configurationData")
        with self._busy("Get-DscConfiguration", ""):
            document = self._document(data)
            run = self._pass()
            try:
                found = [
                    cim.resource_state(resource, await run.get(resource)) for resource in document.resources
                ]
            except ResourceFailure as failure:
                raise LcmError(failure.message) from failure
        return {"configurations": found or None}

    async def get_configuration_status(self, arguments: Mapping[str, Any]) -> Out:
        """Give the last status record, or all of them, newest first."""
        if self._operation:
            raise self._in_progress("Get-DscConfigurationStatus")
        history = self._store.history if arguments.get("All") else self._store.history[:1]
        if not history:
            raise LcmError.of(
                f"No status information available for node {self._host.computer_name}. Apply a "
                "configuration on the "
                "target node and try again."
            )
        meta = self._meta()
        return {
            "configurationStatus": [
                cim.configuration_status(record, self._host.computer_name, meta) for record in history
            ]
        }

    async def get_configuration_result_output(self, arguments: Mapping[str, Any]) -> Out:
        """Give what a job wrote after the bookmark; served while Busy unless the node is set otherwise."""
        if self._operation and not self._options.serves_output_while_busy:
            raise self._in_progress("Get-DscConfigurationStatus")
        job_id = _job_id(arguments.get("jobId"))
        log = self._jobs.log(job_id)
        if log is None:
            raise LcmError.of(f"No output is available for job {job_id}.", 6)
        seen = int.from_bytes(arguments.get("resumeOutputBookmark") or b"", "big")
        return {
            "output": [
                cim.job_output(line, job_id, number.to_bytes(8, "big"))
                for number, line in enumerate(log.lines[seen:], seen + 1)
            ]
            or None
        }

    async def stop_configuration(self, arguments: Mapping[str, Any]) -> Out:
        """Stop the running job. Returns before the engine is idle, as on Windows."""
        await self._jobs.stop(force=bool(arguments.get("force")))
        return {}

    async def remove_configuration(self, arguments: Mapping[str, Any]) -> Out:
        """Remove documents: Stage is the sum of 1 Current, 2 Pending and 4 Previous."""
        stage = int(arguments["Stage"])
        with self._busy("Remove-DscConfigurationDocument", ""):
            store = self._store
            if stage & 1:
                store.current = None
            if stage & 2:
                store.pending = None
                store.job_id = ""
                store.state = "Idle"
            if stage & 4:
                store.previous = None
            self._host.save()
        return {}

    async def perform_required_configuration_checks(self, arguments: Mapping[str, Any]) -> Out:
        """Run the consistency check: apply what is pending; else apply Current, if the mode corrects drift."""
        flags = int(arguments["Flags"])
        await self._make_way("Consistency Check or Pull", force=False, keep_pending=True)
        store = self._store
        kind = "Reboot" if flags & 2 else "Consistency"
        if store.pending is None:
            if store.current is None or store.settings["ConfigurationMode"] != "ApplyAndAutoCorrect":
                return {}
            store.pending, store.job_id = store.current, _new_job_id()
        await self._outcome(self._begin(store.job_id, kind, "Consistency Check or Pull", _CHECKING))
        return {}

    # -- the one operation ----------------------------------------------------------------------------------

    async def _push(self, arguments: Mapping[str, Any], job_id: str) -> Job:
        force = bool(arguments.get("force"))
        document = self._payload(arguments["ConfigurationData"])
        await self._make_way("Start-DscConfiguration", force=force)
        self._demand_push_mode(force=force)
        self._store.accept(document, job_id)
        return self._begin(job_id, "Initial", "Start-DscConfiguration", _APPLYING)

    async def _make_way(self, cmdlet: str, *, force: bool, keep_pending: bool = False) -> None:
        """Get the LCM free, and the place of the pending document, as far as ``force`` allows."""
        if self._operation:
            job = self._jobs.running
            if not force or job is None:
                raise self._in_progress(cmdlet)
            await self._jobs.stop(force=True)
            await self._jobs.finished(job)
        # PendingReboot takes a new push without force, PendingConfiguration does not (LCM behaviour 2.2).
        if not keep_pending and not force and self._store.state == "PendingConfiguration":
            raise LcmError.of(
                "A configuration is pending. Please run Update-DscConfiguration or "
                "Start-DscConfiguration command with "
                "-Force parameter.",
                11,
            )

    def _demand_push_mode(self, *, force: bool) -> None:
        mode = str(self._store.settings["RefreshMode"]).casefold()
        if self._store.settings["PartialConfigurations"]:
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
            self._store.settings["RefreshMode"] = "PUSH"

    def _begin(self, job_id: str, kind: str, cmdlet: str, detail: str) -> Job:
        self._operation = operation = _Operation(cmdlet, detail)
        try:
            job = self._jobs.start(job_id, kind)
        except LcmError:
            self._operation = None
            raise
        assert job.task is not None
        job.task.add_done_callback(lambda _task: self._release(operation))
        return job

    def _release(self, operation: _Operation) -> None:
        if self._operation is operation:
            self._operation = None

    async def _outcome(self, job: Job) -> None:
        """Wait for a job and report its failure; who waits may go away without harm to it."""
        await self._jobs.finished(job)
        if job.task and not job.task.cancelled() and (error := job.task.result()):
            raise error

    @contextmanager
    def _busy(self, cmdlet: str, detail: str, *, lets_meta_through: bool = True) -> Iterator[None]:
        if self._operation:
            raise self._in_progress(cmdlet)
        self._operation = operation = _Operation(cmdlet, detail, lets_meta_through)
        try:
            yield
        finally:
            self._release(operation)

    def _in_progress(self, cmdlet: str) -> LcmError:
        running = self._operation.cmdlet if self._operation else "Start-DscConfiguration"
        return LcmError.of(
            f"Cannot invoke the {cmdlet} cmdlet. The {running} cmdlet is in progress and must return "
            f"before {cmdlet} "
            "can be invoked. Use -Force option if that is available to cancel the current operation."
        )

    # -- smaller parts --------------------------------------------------------------------------------------

    def _document(self, data: bytes | None) -> ConfigurationDocument:
        store = self._store
        stored = store.current if store.current is not None else store.pending
        document = self._payload(data) if data else stored
        if document is None:
            raise _no_current()
        try:
            certificate_id = store.settings["CertificateID"]
            return decrypted(check(document, self._classes), certificate_id, self._host.machine.certificates)
        except LcmError as error:
            record_refusal(self._host, error)
            raise

    def _pass(self) -> Pass:
        return Pass(self._host, self._find_resource, JobLog(_new_job_id(), self._host))

    def _meta(self) -> PsObject:
        return cim.meta_configuration(self._store.settings, self.state, self.state_detail, self._agent_id)


METHODS: Mapping[str, Method] = {
    "SendMetaConfigurationApply": Method(
        Lcm.send_meta_configuration_apply,
        {"ConfigurationData": bytes, "force": bool},
        ("ConfigurationData",),
    ),
    "GetMetaConfiguration": Method(Lcm.get_meta_configuration, {}),
    "SendConfiguration": Method(
        Lcm.send_configuration, {"ConfigurationData": bytes, "force": bool}, ("ConfigurationData",)
    ),
    "SendConfigurationApply": Method(
        Lcm.send_configuration_apply, {"ConfigurationData": bytes, "force": bool}, ("ConfigurationData",)
    ),
    "SendConfigurationApplyAsync": Method(
        Lcm.send_configuration_apply_async,
        {"ConfigurationData": bytes, "force": bool, "jobId": str},
        ("ConfigurationData",),
    ),
    "ApplyConfiguration": Method(Lcm.apply_configuration, {"force": bool}),
    "TestConfiguration": Method(Lcm.test_configuration, {"configurationData": bytes}),
    "GetConfiguration": Method(Lcm.get_configuration, {"configurationData": bytes}),
    "GetConfigurationStatus": Method(Lcm.get_configuration_status, {"All": bool}),
    "GetConfigurationResultOutput": Method(
        Lcm.get_configuration_result_output, {"jobId": str, "resumeOutputBookmark": bytes}, ("jobId",)
    ),
    "StopConfiguration": Method(Lcm.stop_configuration, {"force": bool}),
    "RemoveConfiguration": Method(Lcm.remove_configuration, {"Stage": int, "Force": bool}, ("Stage",)),
    "PerformRequiredConfigurationChecks": Method(
        Lcm.perform_required_configuration_checks, {"Flags": int}, ("Flags",)
    ),
}


def _no_current() -> LcmError:
    return LcmError.of(
        "Current configuration does not exist. Execute Start-DscConfiguration command with -Path "
        "parameter to specify a "
        "configuration file and create a current configuration first."
    )


def _new_job_id() -> str:
    return f"{{{uuid.uuid4()}}}".upper()


def _job_id(text: object) -> str:
    """Give a job id as records show it: upper case, in braces; a new one for none."""
    if not text:
        return _new_job_id()
    try:
        return f"{{{uuid.UUID(str(text))}}}".upper()
    except ValueError:
        raise LcmError.of(f"The job id {text} is not a GUID.", 4) from None
