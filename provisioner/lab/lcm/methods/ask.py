"""Methods that tell something and change nothing: settings, status, output, Test and Get of whole documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.lcm import cim
from provisioner.lab.lcm.engine import TESTING, Engine, job_id_of
from provisioner.lab.lcm.errors import LcmError
from provisioner.lab.lcm.jobs.run import ResourceFailure

Out = dict[str, Any]

_STATUS = "Get-DscConfigurationStatus"
_BOOKMARK_BYTES = 8


async def get_meta_configuration(engine: Engine, _arguments: Mapping[str, Any]) -> Out:
    """Give settings and state; answered while Busy, except while the settings are being set."""
    if engine.operation and not engine.operation.lets_meta_through:
        raise engine.in_progress("Get-DscLocalConfigurationManager")
    return {"MetaConfiguration": engine.meta()}


async def test_configuration(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Test a document given, or Current, else Pending. Stores nothing."""
    with engine.busy("Test-DscConfiguration", TESTING):
        document = engine.document(arguments.get("configurationData"))
        run = engine.new_pass()
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


async def get_configuration(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Get the actual state of every resource of a document given, or of Current, else Pending."""
    with engine.busy("Get-DscConfiguration", ""):
        document = engine.document(arguments.get("configurationData"))
        run = engine.new_pass()
        try:
            found = [cim.resource_state(each, await run.get(each)) for each in document.resources]
        except ResourceFailure as failure:
            raise LcmError(failure.message) from failure
    return {"configurations": found or None}


async def get_configuration_status(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Give the last status record, or all of them, newest first."""
    if engine.busy_with:
        raise engine.in_progress(_STATUS)
    history = engine.store.history if arguments.get("All") else engine.store.history[:1]
    computer_name = engine.host.computer_name
    if not history:
        raise LcmError.of(
            f"No status information available for node {computer_name}. Apply a configuration on the target "
            "node and try again."
        )
    meta = engine.meta()
    return {"configurationStatus": [cim.configuration_status(each, computer_name, meta) for each in history]}


async def get_configuration_result_output(engine: Engine, arguments: Mapping[str, Any]) -> Out:
    """Give what a job wrote after the bookmark; served while Busy unless the node is set otherwise."""
    if engine.busy_with and not engine.options.serves_output_while_busy:
        raise engine.in_progress(_STATUS)
    job_id = job_id_of(arguments)
    log = engine.jobs.log(job_id)
    if log is None:
        raise LcmError.of(f"No output is available for job {job_id}.", 6)
    # Through WS-Management the bookmark comes back with a length in front, as all bytes do.
    seen = int.from_bytes((arguments.get("resumeOutputBookmark") or b"")[-_BOOKMARK_BYTES:], "big")
    return {
        "output": [
            cim.job_output(line, job_id, number.to_bytes(_BOOKMARK_BYTES, "big"))
            for number, line in enumerate(log.lines[seen:], seen + 1)
        ]
        or None
    }
