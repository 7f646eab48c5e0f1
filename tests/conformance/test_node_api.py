"""The managed node against a whole simulated node: real protocol between, the lab's own LCM behind."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from provisioner.addresses import Endpoint, NodeName
from provisioner.errors import LcmError, TransportError
from provisioner.inventory.model import Framing
from provisioner.lab.server.authentication.accounts import nt_hash
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import read_node_spec
from provisioner.node.base import ConfigurationStatus, NodeApi
from provisioner.node.managed import ManagedNode
from provisioner.secrets.model import Secret
from provisioner.transport import registry
from tests.networks import own_network

ADDRESS = f"{own_network()}.1"
JOB = "{0F0F0F0F-0000-4000-8000-000000000001}"
DOCUMENT = """\
instance of MSFT_ServiceResource as $s
{
 ResourceID = "[Service]time"; Name = "W32Time"; State = "Stopped"; SourceInfo = "role.yaml::3::5::Service";
 ModuleName = "PSDscResources"; ModuleVersion = "2.12.0.0"; ConfigurationName = "c";
};
instance of OMI_ConfigurationDocument
{
 Version = "2.0.0"; MinimumCompatibleVersion = "1.0.0"; Name = "c";
 CompatibleVersionAdditionalProperties = {"Omi_BaseResource:ConfigurationName"};
};
""".encode("utf-16")


@asynccontextmanager
async def managed(
    folder: Path, framing: Framing = Framing.AUTO, accept: tuple[str, ...] = ("big-endian", "raw")
) -> AsyncIterator[NodeApi]:
    with socket.create_server((ADDRESS, 0)) as free:
        port = free.getsockname()[1]
    spec, problems = read_node_spec(
        name="hv01", address=ADDRESS, port=port, user="admin", nt_hash=nt_hash("pw"), lab_trees=[]
    )
    assert not problems.has_errors
    simulated = SimulatedNode(replace(spec, accept=accept), folder, time_scale=0.0)
    await simulated.start()
    fleet = Fleet([simulated])
    await fleet.start()
    transport = registry.create(
        "psrp", NodeName("hv01"), Endpoint(ADDRESS, port), "admin", Secret("pw"), connect_timeout_s=5
    )
    node = ManagedNode(NodeName("hv01"), transport, framing)
    try:
        await node.open()
        yield node
    finally:
        await node.close()
        await fleet.stop()
        await simulated.stop()


async def finished(node: NodeApi) -> ConfigurationStatus:
    async with asyncio.timeout(20):
        while (await node.meta_configuration()).state == "Busy" or not await node.job_exists(JOB):  # noqa: ASYNC110 - a node tells only when asked
            await asyncio.sleep(0.05)
    return (await node.statuses())[0]


async def test_a_fresh_node_is_idle_without_history_jobs_or_machines(tmp_path: Path) -> None:
    async with managed(tmp_path) as node:
        assert (await node.meta_configuration()).state == "Idle"
        assert await node.statuses() == ()
        assert not await node.job_exists(JOB)
        assert (await node.output(JOB, None)).messages == ()
        assert await node.running_virtual_machines() == ()
        assert (await node.boot_state()).computer_name == "HV01"


async def test_a_document_is_tested_started_and_followed_to_its_end(tmp_path: Path) -> None:
    async with managed(tmp_path) as node:
        before = await node.test(DOCUMENT)
        assert [state.resource_id for state in before.differing] == ["[Service]time"]
        assert before.differing[0].source_info == "role.yaml::3::5::Service"
        await node.start(DOCUMENT, JOB)
        status = await finished(node)
        assert (status.job_id, status.type, status.status) == (JOB, "Initial", "Success")
        assert status.changed == ("[Service]time",)
        assert (await node.test(DOCUMENT)).in_desired_state
        output = await node.output(JOB, None)
        assert any("[[Service]time]" in message.text for message in output.messages)
        assert (await node.output(JOB, output.bookmark)).messages == ()


async def test_a_document_the_lcm_cannot_read_is_an_error_that_says_why(tmp_path: Path) -> None:
    async with managed(tmp_path) as node:
        with pytest.raises(LcmError, match="Undefined class: MSFT_Nope") as raised:
            await node.test('instance of MSFT_Nope { ResourceID = "[Nope]x"; };'.encode("utf-16"))
        assert raised.value.code.startswith("MI RESULT ")


async def test_a_little_endian_prefix_is_refused_by_a_local_call(tmp_path: Path) -> None:
    async with managed(tmp_path, Framing.LITTLE_ENDIAN) as node:
        with pytest.raises(LcmError):
            await node.test(DOCUMENT)


@pytest.mark.parametrize("form", ["big-endian", "raw", "little-endian"])
async def test_a_node_is_asked_which_layout_it_takes(tmp_path: Path, form: str) -> None:
    async with managed(tmp_path, accept=(form,)) as node:
        await node.start(DOCUMENT, JOB)
        assert (await finished(node)).status == "Success"
        assert len(await node.statuses()) == 1  # the question left no trace


@pytest.mark.parametrize("form", ["big-endian", "raw", "little-endian"])
async def test_a_layout_that_is_written_down_is_not_doubted(tmp_path: Path, form: str) -> None:
    other = "raw" if form != "raw" else "big-endian"
    async with managed(tmp_path, Framing(form), accept=(other,)) as node:
        with pytest.raises(LcmError):
            await node.test(DOCUMENT)


async def test_a_node_that_takes_no_layout_says_so_for_each(tmp_path: Path) -> None:
    async with managed(tmp_path, accept=()) as node:
        with pytest.raises(
            LcmError, match=r"none of the known layouts.*big-endian: .*raw: .*little-endian: "
        ):
            await node.test(DOCUMENT)


async def test_a_restart_is_another_boot(tmp_path: Path) -> None:
    async with managed(tmp_path) as node:
        before = await node.boot_state()
        await node.restart()
        async with asyncio.timeout(20):
            while True:
                try:
                    await node.open()
                    after = await node.boot_state()
                except TransportError:
                    await asyncio.sleep(0.05)
                else:
                    if after.is_another_boot(before):
                        break
        assert after.boot_id == (before.boot_id or 0) + 1
