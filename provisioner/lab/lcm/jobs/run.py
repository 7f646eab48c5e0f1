"""One pass of the engine over a document: Test, then Set where needed, resource by resource.

Order of calls, what stops a pass and what counts as failed follow the facts about real LCMs: no second Test after
Set, dependants of a failed resource are left out, the pass ends at the first resource that asks for a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from provisioner.lab.lcm import events
from provisioner.lab.lcm.documents.document import DocumentResource
from provisioner.lab.lcm.errors import LcmMessage
from provisioner.lab.lcm.host import FindResource, LcmHost
from provisioner.lab.lcm.jobs.job_log import JobLog
from provisioner.lab.lcm.jobs.run_as import SESSION_FAILED, demand_session
from provisioner.lab.lcm.status import ResourceRecord, resource_record
from provisioner.lab.machine.area import MachineError
from provisioner.lab.resources import generic
from provisioner.lab.resources.base import ResourceContext, ResourceError, SimulatedResource


class ResourceFailure(Exception):
    """A resource did not do what was asked; ``inner`` is what it threw, if it threw."""

    def __init__(self, message: LcmMessage, inner: ResourceError | MachineError | None = None) -> None:
        self.message = message
        self.inner = inner
        super().__init__(message.text)


@dataclass(slots=True)
class Pass:
    """What a pass is given, and what it found."""

    host: LcmHost
    find_resource: FindResource
    output: JobLog
    is_cancelled: Callable[[], bool] = lambda: False
    records: list[ResourceRecord] = field(default_factory=list)
    errors: list[LcmMessage] = field(default_factory=list)
    reboot_requested: bool = False
    #: Whether a Test asked for a restart, which only a consistency run that sets nothing looks at.
    was_flagged: bool = False

    async def apply(self, resources: Sequence[DocumentResource]) -> None:
        """Bring ``resources`` into their desired state."""
        started = self.host.now()
        self.output.engine("Start", "Set")
        left_out: set[str] = set()
        for number, resource in enumerate(resources):
            if self.is_cancelled():
                break
            self.output.progress(resource.resource_id, 100 * number // len(resources))
            folded = resource.resource_id.casefold()
            if any(wanted.casefold() in left_out for wanted in resource.depends_on):
                # A resource that was not processed is in no list (statement 1 of the Microsoft state table).
                left_out.add(folded)
                self.output.engine("Skip", "Set", f"  [{resource.resource_id}]")
                self.output.of_resource(resource.resource_id, "A resource it depends on did not succeed.")
                continue
            record = await self._apply_one(resource)
            self.records.append(record)
            if not record.in_desired_state and record.error:
                left_out.add(folded)
            self.host.save()
            if record.reboot_requested:
                self.reboot_requested = True
                break
        self.output.engine("End", "Set")
        self.output.engine("End", "Set", f"    in  {_seconds(self.host, started)} seconds.")
        self.output.flush()

    async def test(self, resources: Sequence[DocumentResource]) -> None:
        """Ask each resource whether it is in its desired state.

        Raises:
            ResourceFailure: the first Test that throws; the resources after it are not asked. Source: a recorded
                Test-DscConfiguration of Windows PowerShell 5.1.
        """
        self.output.engine("Start", "Compare")
        for resource in resources:
            started = self.host.now()
            self.output.engine("Start", "Resource", f"  [{resource.resource_id}]")
            try:
                is_in_state = await self._test(resource, self._context(resource))
            except ResourceFailure:
                self.output.verbose(
                    f"[{self.host.computer_name}]: LCM:  [ *FAILED*Compare  ]     Completed "
                    "processing compare "
                    "operation. The operation returned False."
                )
                raise
            self.output.engine("End", "Resource", f"  [{resource.resource_id}]")
            self.records.append(
                resource_record(resource, started, self.host.now(), in_desired_state=is_in_state)
            )
        result = all(record.in_desired_state for record in self.records)
        self.output.engine(
            "End", "Compare", f"     Completed processing compare operation. The operation returned {result}."
        )

    async def get(self, resource: DocumentResource) -> dict[str, Any]:
        """Ask a resource for its actual state.

        Raises:
            ResourceFailure: Get throws.
        """
        try:
            simulated = await self._ready(resource, "Get")
            return await simulated.get(resource.properties, self._context(resource))
        except (ResourceError, MachineError) as error:
            raise _execution_failure(resource, "Get", error) from error

    async def test_one(self, resource: DocumentResource) -> bool:
        """Ask one resource whether it is in its desired state.

        Raises:
            ResourceFailure: Test throws, or gives no Boolean.
        """
        return await self._test(resource, self._context(resource))

    async def set_one(self, resource: DocumentResource) -> bool:
        """Set one resource, whatever its state; give whether it asks for a restart.

        Raises:
            ResourceFailure: Set throws.
        """
        context = self._context(resource)
        await self._set(resource, context)
        return context.reboot_requested

    async def _apply_one(self, resource: DocumentResource) -> ResourceRecord:
        started = self.host.now()
        context = self._context(resource)
        error: LcmMessage | None = None
        has_changed = False
        self.output.engine("Start", "Resource", f"  [{resource.resource_id}]")
        try:
            if await self._test(resource, context):
                self.output.engine("Skip", "Set", f"  [{resource.resource_id}]")
            else:
                await self._set(resource, context)
                has_changed = True
        except ResourceFailure as failure:
            error = failure.message
            self.errors.append(error)
            self.output.error(error)
            self._journal_failure(resource, failure)
        self.output.engine("End", "Resource", f"  [{resource.resource_id}]")
        self.output.flush()
        wants_reboot = context.reboot_requested
        is_in_state = error is None and not wants_reboot
        record = resource_record(
            resource, started, self.host.now(), in_desired_state=is_in_state, error=error
        )
        return replace(record, state_changed=has_changed, reboot_requested=wants_reboot)

    async def _test(self, resource: DocumentResource, context: ResourceContext) -> bool:
        started = self.host.now()
        self.output.engine("Start", "Test", f"  [{resource.resource_id}]")
        result: object = False
        try:
            simulated = await self._ready(resource, "Test")
            result = await simulated.test(resource.properties, context)
        except (ResourceError, MachineError) as error:
            raise _execution_failure(resource, "Test", error) from error
        except ResourceFailure:
            raise
        except Exception as error:  # a bug of the lab must neither look like success nor stop the LCM
            raise _execution_failure(resource, "Test", _own_mistake(error)) from error
        finally:
            # The flag means nothing while testing; the engine resets it before Set.
            self.was_flagged |= context.reboot_requested
            context.reboot_requested = False
            self.output.engine(
                "End",
                "Test",
                f"  [{resource.resource_id}] {result} in {_seconds(self.host, started)} seconds.",
            )
        if not isinstance(result, bool):
            raise ResourceFailure(
                LcmMessage(
                    f"The PowerShell DSC resource {resource.class_name} returned results in a format "
                    "that is not valid. "
                    "The results from running Test-TargetResource must be the boolean value True or False.",
                    "TestTargetResourceInvalidResultFormat",
                    "InvalidResult",
                    resource.resource_id,
                )
            )
        self._refuse_nonterminating(resource, "Test", context)
        return result

    async def _set(self, resource: DocumentResource, context: ResourceContext) -> None:
        started = self.host.now()
        self.output.engine("Start", "Set", f"  [{resource.resource_id}]")
        try:
            simulated = await self._ready(resource, "Set")
            if not self.host.misbehaviour.lies(resource.resource_id):
                await simulated.set(resource.properties, context)
            self.host.record(
                "resource-set",
                job=self.output.job_id,
                resource=resource.resource_id,
                simulated=generic.kind_of(simulated),
            )
        except (ResourceError, MachineError) as error:
            raise _execution_failure(resource, "Set", error) from error
        except ResourceFailure:
            raise
        except Exception as error:  # as in _test
            raise _execution_failure(resource, "Set", _own_mistake(error)) from error
        finally:
            self.output.engine(
                "End", "Set", f"  [{resource.resource_id}]  in {_seconds(self.host, started)} seconds."
            )
        self._refuse_nonterminating(resource, "Set", context)

    def _refuse_nonterminating(
        self, resource: DocumentResource, operation: str, context: ResourceContext
    ) -> None:
        """Pass on what a resource wrote, each error under its own id, and fail it.

        Source of the order: outputs of Start-DscConfiguration in dsccommunity/RemoteDesktopServicesDsc#111.
        """
        if not context.nonterminating:
            return
        for error in context.nonterminating:
            self.errors.append(
                LcmMessage(error.message, error.error_id, error.category, resource.resource_id)
            )
            self.output.error(self.errors[-1])
        raise ResourceFailure(
            LcmMessage(
                f"The PowerShell DSC resource '{resource.resource_id}' with SourceInfo "
                f"'{resource.source_info}' threw one or "
                f"more non-terminating errors while running the {operation}-TargetResource functionality. "
                "These errors are "
                "logged to the ETW channel called Microsoft-Windows-DSC/Operational. Refer to this "
                "channel for more details.",
                "NonTerminatingErrorFromProvider",
                "InvalidOperation",
                resource.resource_id,
            ),
            context.nonterminating[0],
        )

    async def _ready(self, resource: DocumentResource, operation: str) -> SimulatedResource:
        """Find what runs, once nothing stands in its way: an injected fault, a user who cannot log on."""
        found = self._simulated(resource, operation)
        await self.host.misbehaviour.before_resource(resource.resource_id, operation)
        if resource.run_as:
            events.write(
                self.host.machine,
                events.RUN_AS,
                self.output.job_id,
                f"{resource.run_as.user_name} {operation}",
            )
            demand_session(resource.run_as, self.host)
        return found

    def _simulated(self, resource: DocumentResource, operation: str) -> SimulatedResource:
        found = self.find_resource(resource.class_name, resource.module)
        if found is None:
            raise _execution_failure(
                resource,
                operation,
                ResourceError(
                    f"the lab does not simulate {resource.class_name} of module {resource.module}",
                    "NotSimulated",
                    "NotImplemented",
                ),
            )
        return found

    def _context(self, resource: DocumentResource) -> ResourceContext:
        def warn(text: str) -> None:
            self.output.warning(f"[{self.host.computer_name}]:{' ' * 28}[{resource.resource_id}] {text}")

        return ResourceContext(
            self.host.machine,
            self.host.sleep,
            verbose=lambda text: self.output.of_resource(resource.resource_id, text),
            warning=warn,
        )

    def _journal_failure(self, resource: DocumentResource, failure: ResourceFailure) -> None:
        """Keep what the resource threw: the LCM itself hides its id and category from clients."""
        inner = failure.inner
        self.host.record(
            "resource-failed",
            job=self.output.job_id,
            resource=resource.resource_id,
            error_id=failure.message.error_id,
            category=failure.message.category,
            inner_error_id=inner.error_id if inner else "",
            inner_category=inner.category if inner else "",
            simulated=self._kind(resource),
        )

    def _kind(self, resource: DocumentResource) -> str:
        found = self.find_resource(resource.class_name, resource.module)
        return generic.kind_of(found) if found else "none"


def _execution_failure(
    resource: DocumentResource, operation: str, error: ResourceError | MachineError
) -> ResourceFailure:
    """Wrap what a resource threw, with the spacing of real messages; a session that fails is told as it is."""
    if error.error_id == SESSION_FAILED:
        return ResourceFailure(
            LcmMessage(error.message, error.error_id, error.category, resource.resource_id), error
        )
    return ResourceFailure(
        LcmMessage(
            f"PowerShell DSC resource {resource.class_name}  failed to execute "
            f"{operation}-TargetResource functionality "
            f"with error message: {error.message} ",
            "ProviderOperationExecutionFailure",
            "InvalidOperation",
            resource.resource_id,
        ),
        error,
    )


def _own_mistake(error: Exception) -> ResourceError:
    return ResourceError(f"the lab itself failed: {error!r}", "LabFailure", "NotSpecified")


def _seconds(host: LcmHost, started: datetime) -> str:
    return f"{(host.now() - started).total_seconds():.4f}"
