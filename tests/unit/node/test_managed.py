"""The managed node passes each call on."""

from __future__ import annotations

import inspect

from provisioner.inventory.model import Framing
from provisioner.node.base import NodeApi
from provisioner.node.managed import ManagedNode
from provisioner.transport.base import Pipeline, Result
from tests.unit.node.nodes import NAME, gives, record, transport


def answer(pipeline: Pipeline) -> Result:
    (command,) = pipeline.commands
    match command.parameters.get("MethodName", command.name):
        case "GetMetaConfiguration":
            return gives(record(MetaConfiguration=record(LCMState="Idle")))
        case "TestConfiguration":
            return gives(record(InDesiredState=True))
        case "GetConfigurationStatus":
            return gives(record(configurationStatus=[record(JobID="{A}")]))
        case "Get-CimInstance" if "Namespace" not in command.parameters:
            return gives(record(CSName="HV01", LastBootUpTime="2026-01-01T00:00:00Z"))
        case _:
            return gives()


async def test_every_call_of_the_contract_reaches_the_node() -> None:
    wire = transport(answer)
    wire.is_open = False
    node: NodeApi = ManagedNode(NAME, wire, Framing.BIG_ENDIAN)
    await node.open()
    assert (await node.boot_state()).computer_name == "HV01"
    assert (await node.meta_configuration()).state == "Idle"
    await node.send_meta_configuration(b"meta")
    assert (await node.test(b"mof")).in_desired_state
    await node.start(b"mof", "{A}")
    assert [status.job_id for status in await node.statuses()] == ["{A}"]
    assert await node.job_exists("{a}")
    assert (await node.output("{A}", b"1")).bookmark == b"1"
    assert await node.running_virtual_machines() == ()
    await node.restart()
    assert (await node.run(Pipeline.of("Get-Service"))).output == ()
    await node.close()
    assert not wire.is_open


def test_it_has_the_signatures_of_the_contract() -> None:
    for name, method in inspect.getmembers(NodeApi, inspect.isfunction):
        if not name.startswith("_"):
            ours = inspect.signature(getattr(ManagedNode, name))
            assert list(ours.parameters) == list(inspect.signature(method).parameters), name
