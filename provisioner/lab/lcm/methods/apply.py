"""Methods that bring documents and settings to an LCM and make it apply them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.lcm import events
from provisioner.lab.lcm.engine import APPLYING, Engine, job_id_of, new_job_id, no_current
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.jobs.jobs import Job
from provisioner.lab.lcm.status import StatusRecord
from provisioner.lab.machine.basics.provider_cache import ProviderCache

START: Final = "Start-DscConfiguration"
_STAGES: Final = ((1, "Current"), (2, "Pending"), (4, "Previous"))

Out = dict[str, Any]


async def send_meta_configuration_apply(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Take settings over; what the document does not name returns to its default."""
    with engine.busy("Set-DscLocalConfigurationManager", "", lets_meta_through=False):
        host, store = engine.host, engine.store
        started, job_id = host.now(), new_job_id()
        store.configure(engine.payload(arguments["ConfigurationData"]))
        host.record("meta-configuration", settings=store.settings)
        store.remember(
            StatusRecord(
                job_id,
                "LocalConfigurationManager",
                "Success",
                False,
                started.isoformat(),
                (host.now() - started).total_seconds(),
            ),
            host.now(),
        )
        told = ("ConfigurationMode", "RefreshMode", "RebootNodeIfNeeded", "ActionAfterReboot")
        events.write(
            host.machine,
            events.SETTINGS,
            job_id,
            ", ".join(f"{name} = {store.settings[name]}" for name in told),
        )
        host.save()
    return {}


async def send_configuration(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Store a document as pending without applying it."""
    document = engine.payload(arguments["ConfigurationData"])
    await engine.make_way("Publish-DscConfiguration", force=bool(arguments.get("force")))
    engine.store.accept(document, new_job_id())
    engine.host.machine.area(ProviderCache).clear()
    engine.store.state = "PendingConfiguration"
    engine.schedule.update(engine.store)
    engine.host.save()
    return {}


async def send_configuration_apply(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Apply a document and wait for the end."""
    await engine.outcome(await _push(engine, arguments, new_job_id()))
    return {}


async def send_configuration_apply_async(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Begin to apply a document under the caller's job id and return.

    The document is read and checked before the method returns (assumption).
    """
    job_id = job_id_of(arguments)
    running = engine.jobs.running
    if running and running.job_id == job_id:
        raise engine.in_progress(START)
    await _push(engine, arguments, job_id)
    return {}


async def apply_configuration(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Apply what is there: Pending, else Current; with force Current even while one is pending [L]."""
    force = bool(arguments.get("force"))
    await engine.make_way(START, force=force, keep_pending=True)
    store = engine.store
    current = store.current
    if current is not None and (force or store.pending is None):
        store.retry(current, new_job_id())
    if store.pending is None:
        raise no_current()
    await engine.outcome(engine.begin(store.job_id or new_job_id(), "Initial", START, APPLYING))
    return {}


async def roll_back(engine: Engine, _arguments: Mapping[str, Any]) -> Out:
    """Apply Previous; ``configurationNumber`` is reserved and has no meaning."""
    await engine.make_way("Restore-DscConfiguration", force=False, keep_pending=True)
    previous = engine.store.previous
    if previous is None:
        raise LcmError.of(
            "A previous configuration does not exist. DSC can rollback only when a previous configuration "
            "exists."
        )
    job_id = new_job_id()
    engine.store.accept(previous, job_id)
    await engine.outcome(engine.begin(job_id, "Initial", "Restore-DscConfiguration", APPLYING))
    return {}


async def stop_configuration(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Stop the running job: at once with force, else after the resource it is at.

    Returns before the engine is idle, as on Windows.
    """
    force = bool(arguments.get("force"))
    job = engine.jobs.running
    if job is not None:
        if force and engine.host.misbehaviour.ignores_stop():
            raise LcmError.of("Could not cancel the current operation.")
        events.write(engine.host.machine, events.STOPPED if force else events.CANCELLED, job.job_id)
        engine.jobs.stop(force=force)
    return {}


async def remove_configuration(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Remove documents: Stage is the sum of 1 Current, 2 Pending and 4 Previous.

    Raises:
        LcmError: another stage.
    """
    stage = int(arguments["Stage"])
    known = sum(bit for bit, _ in _STAGES)
    if not stage or stage & ~known:
        raise LcmError.of(f"The value {stage} of parameter Stage is not valid.", 4)
    with engine.busy("Remove-DscConfigurationDocument", ""):
        names = [name for bit, name in _STAGES if stage & bit]
        for name in names:
            engine.store.remove(name)
        if "Pending" in names:
            engine.store.job_id = ""
            engine.store.state = "Idle"
        events.write(engine.host.machine, events.REMOVED, "", ", ".join(names))
        engine.host.save()
    return {}


async def _push(engine: Engine, arguments: Mapping[str, Any], job_id: str) -> Job:
    force = bool(arguments.get("force"))
    document = engine.payload(arguments["ConfigurationData"])
    await engine.make_way(START, force=force)
    engine.look_at_settings()
    engine.demand_push_mode(force=force)
    engine.store.accept(document, job_id)
    engine.host.machine.area(ProviderCache).clear()
    return engine.begin(job_id, "Initial", START, APPLYING)
