"""The Local Configuration Manager of a simulated node: the methods of MSFT_DSCLocalConfigurationManager.

What the node and whoever calls it see. How a method works is in ``methods``, what they share in ``engine``. Which
facts stand behind each rule is said where the rule is; what nobody knows about Windows is a node setting or marked
as an assumption. Nothing here knows how a call reached the node.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from provisioner.lab.lcm import events
from provisioner.lab.lcm.engine import CONSISTENCY_CHECK, CONTINUING, Engine, new_job_id
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.host import FindResource, LcmHost, LcmOptions
from provisioner.lab.lcm.jobs.job_log import FOLLOWER, Follower, JobLine
from provisioner.lab.lcm.methods import apply, ask, consistency, direct
from provisioner.lab.lcm.schedule import Schedule
from provisioner.lab.machine.basics.processes import PROVIDER_HOST_ENDED
from provisioner.lab.resources import generic

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

Out: TypeAlias = dict[str, Any]

_POLICIES = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"


@dataclass(frozen=True, slots=True)
class Method:
    """One method. ``parameters`` maps the names it takes to ``bytes``, ``bool``, ``str`` or ``int``."""

    run: Callable[[Engine, Mapping[str, Any]], Awaitable[Out]]
    parameters: Mapping[str, type]
    required: tuple[str, ...] = ()
    is_followed: bool = True


class Lcm:
    """The LCM of one node."""

    def __init__(self, host: LcmHost, find_resource: FindResource, options: LcmOptions | None = None) -> None:
        """Set up an LCM nobody configured yet; which modules it has, the files of the machine say."""
        self._host = host
        self._engine = Engine(host, find_resource, options or LcmOptions())
        self._rounds = consistency.Rounds(self._engine)
        self._engine.schedule = Schedule(host, self._rounds.begin)
        #: What ``simulation`` said last; None when files, and with them documents or modules, changed since.
        self._simulation: list[tuple[str, str, str]] | None = None
        host.machine.ledger.listeners.append(self._note_change)

    # -- what the node sees ---------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """LCMState."""
        return self._engine.state

    @property
    def state_detail(self) -> str:
        """LCMStateDetail: only filled while Busy."""
        return self._engine.state_detail

    def simulation(self) -> list[tuple[str, str, str]]:
        """Say of each resource of the last document how it is simulated: id, type, and specific or generic.

        A resource that nothing simulates is ``none``. A document is read once: whoever lists a fleet asks for all.
        """
        if self._simulation is None:
            self._simulation = self._read_simulation()
        return self._simulation

    def _read_simulation(self) -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []
        for resource in self._engine.resting_document():
            simulated = self._engine.find_resource(resource.class_name, resource.module)
            kind = generic.kind_of(simulated) if simulated else "none"
            found.append((resource.resource_id, resource.type_name, kind))
        return found

    def framed(self, document: bytes) -> bytes:
        """Put the length before a document in the way this node understands, as its own cmdlets do."""
        return self._engine.framed(document)

    def to_plain(self) -> dict[str, Any]:
        """Give what survives the end of the lab, besides the files of the machine."""
        return self._engine.store.to_plain()

    @property
    def kept(self) -> tuple[object, ...]:
        """What ``to_plain`` is made of: as long as these are the same objects, it gives the same.

        The history of a node that was applied often is large, and a job saves its node after each resource.
        """
        store = self._engine.store
        return (store.state, store.job_id, store.settings, store.history)

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take what ``to_plain`` gave. A job that was running then is pending now."""
        store = self._engine.store
        store.load(plain)
        if store.job_id and store.pending is not None and store.state == "Idle":
            store.state = "PendingConfiguration"

    def on_start(self) -> None:
        """Begin to look after the node, in a running event loop."""
        self._engine.schedule.start(self._engine.store)

    def on_clock_moved(self) -> None:
        """Take note that the node's clock jumped."""
        self._engine.schedule.clock_moved()

    def on_shutdown(self) -> None:
        """End what runs, because the node goes down."""
        self._engine.schedule.stop()
        self._rounds.abort()
        self._engine.jobs.abort()
        self._engine.operation = None

    def on_provider_killed(self) -> None:
        """End what runs, because somebody killed the process that hosts the LCM; the next call starts another."""
        self.on_shutdown()
        events.write(self._host.machine, events.CRASHED, "", "The provider host was ended.")
        self._host.record("lcm-killed")
        self._host.save()
        self.on_start()

    def _note_change(self, area: str, what: str) -> None:
        if area in {"files", "machine"}:
            self._simulation = None
        if what == PROVIDER_HOST_ENDED:
            self.on_provider_killed()

    async def stop(self) -> None:
        """End what runs, for good; a job stays pending."""
        self._engine.schedule.stop()
        await self._rounds.end()
        await self._engine.jobs.end()
        self._engine.operation = None

    def on_boot(self) -> None:
        """Continue the pending document, unless the settings leave that to whoever restarted the node.

        With StopConfiguration the restart that was asked for has happened, so PendingReboot is over and the
        document merely pending (assumption: no source shows the state between this boot and the next push).
        """
        engine, store = self._engine, self._engine.store
        engine.look_at_settings()
        if store.pending is None:
            if store.state == "PendingReboot":
                store.state = "Idle"
        else:
            store.state = "PendingConfiguration"
            events.write(self._host.machine, events.RESTARTED, store.job_id)
            if store.settings["ActionAfterReboot"] == "ContinueConfiguration" and _is_hosted(
                self._host.machine
            ):
                try:
                    engine.begin(
                        store.job_id or new_job_id(), consistency.REBOOT, CONSISTENCY_CHECK, CONTINUING
                    )
                except LcmError as error:
                    self._host.record("job-refused", job=store.job_id, error_id=error.message.error_id)
        if _is_hosted(self._host.machine):
            engine.schedule.start(store)

    async def invoke(
        self, method: str, arguments: Mapping[str, Any], hear: Callable[[JobLine], None] | None = None
    ) -> Out:
        """Call a method by its exact name with checked arguments; give its out parameters.

        ``hear`` is told what the operation writes, as long as the call is waited for; one that returns while its
        job goes on tells nothing.

        Raises:
            LcmError: the LCM refuses, or the operation failed.
        """
        self._host.record("lcm-method", method=method)
        follower = Follower(hear) if hear and METHODS[method].is_followed else None
        token = FOLLOWER.set(follower)
        try:
            return await METHODS[method].run(self._engine, arguments)
        finally:
            FOLLOWER.reset(token)
            if follower:
                follower.leave()


def _is_hosted(machine: Machine) -> bool:
    """Whether WinRM starts the timer of the LCM at boot: the service runs and no policy is against it."""
    service = machine.services.find("WinRM")
    is_off = machine.registry.get(_POLICIES, "DSCAutomationHostEnabled") == 0
    return not is_off and (service is None or service.status == "Running")


_DATA = {"ConfigurationData": bytes, "force": bool}
_RESOURCE = {"ResourceType": str, "ModuleName": str, "resourceProperty": bytes}

METHODS: Mapping[str, Method] = {
    "SendMetaConfigurationApply": Method(apply.send_meta_configuration_apply, _DATA, ("ConfigurationData",)),
    "GetMetaConfiguration": Method(ask.get_meta_configuration, {}),
    "SendConfiguration": Method(apply.send_configuration, _DATA, ("ConfigurationData",)),
    "SendConfigurationApply": Method(apply.send_configuration_apply, _DATA, ("ConfigurationData",)),
    "SendConfigurationApplyAsync": Method(
        apply.send_configuration_apply_async,
        {**_DATA, "jobId": str},
        ("ConfigurationData",),
        is_followed=False,
    ),
    "ApplyConfiguration": Method(apply.apply_configuration, {"force": bool}),
    "RollBack": Method(apply.roll_back, {"configurationNumber": int}),
    "StopConfiguration": Method(apply.stop_configuration, {"force": bool}),
    "RemoveConfiguration": Method(apply.remove_configuration, {"Stage": int, "Force": bool}, ("Stage",)),
    "TestConfiguration": Method(ask.test_configuration, {"configurationData": bytes}),
    "GetConfiguration": Method(ask.get_configuration, {"configurationData": bytes}),
    "GetConfigurationStatus": Method(ask.get_configuration_status, {"All": bool}),
    "GetConfigurationResultOutput": Method(
        ask.get_configuration_result_output, {"jobId": str, "resumeOutputBookmark": bytes}, ("jobId",)
    ),
    "PerformRequiredConfigurationChecks": Method(
        consistency.perform_required_configuration_checks, {"Flags": int}, ("Flags",)
    ),
    "ResourceGet": Method(direct.resource_get, _RESOURCE, tuple(_RESOURCE)),
    "ResourceSet": Method(direct.resource_set, _RESOURCE, tuple(_RESOURCE)),
    "ResourceTest": Method(direct.resource_test, _RESOURCE, tuple(_RESOURCE)),
    "EnableDebugConfiguration": Method(direct.enable_debug_configuration, {"BreakAll": bool}),
    "DisableDebugConfiguration": Method(direct.disable_debug_configuration, {}),
}
