"""Invoke-CimMethod: results and errors as CimCmdlets give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.node.invoke_cim_method import run
from provisioner.lab.lcm.cim import LCM_CLASS, NAMESPACE
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import UInt32
from tests.unit.lab.commands.recording import Recorded, feed, make_node
from tests.unit.lab.lcm.building import JOB, document, service
from tests.unit.lab.waiting import idle

TYPE = "Microsoft.Management.Infrastructure.CimCmdlets.InvokeCimMethodCommand"


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


async def invoke(node: SimulatedNode, method: str, arguments: Any = None, **more: Any) -> Recorded:
    recorded = Recorded()
    parameters = {
        "Namespace": NAMESPACE,
        "ClassName": LCM_CLASS,
        "MethodName": method,
        "Arguments": arguments,
        **more,
    }
    await run(Invocation(node, parameters, feed([]), recorded, "HV01\\provisioner"))
    return recorded


async def test_a_result_has_its_members_as_note_properties(node: SimulatedNode) -> None:
    out = await invoke(node, "testconfiguration", {"ConfigurationData": document(service("W32Time"))})
    result = out.values[0]

    assert result.type_names == (
        f"Microsoft.Management.Infrastructure.CimMethodResult#{LCM_CLASS}#TestConfiguration",
        "Microsoft.Management.Infrastructure.CimMethodResult",
        "System.Management.Automation.PSCustomObject",
        "System.Object",
    )
    assert result.properties == {}
    assert set(result.extended) == {
        "InDesiredState",
        "ResourcesInDesiredState",
        "ResourcesNotInDesiredState",
        "ReturnValue",
        "PSComputerName",
    }
    assert type(result.extended["ReturnValue"]) is UInt32
    assert out.errors == []


@pytest.mark.parametrize("data", [document(service("W32Time")), list(document(service("W32Time")))])
async def test_bytes_may_come_as_an_array_of_numbers(node: SimulatedNode, data: Any) -> None:
    assert (await invoke(node, "TestConfiguration", {"configurationData": data})).values


@pytest.mark.parametrize(
    ("change", "method", "arguments", "error_id", "category"),
    [
        ({"ClassName": "MSFT_Nope"}, "X", None, "HRESULT 0x80041010", "MetadataError"),
        ({"Namespace": None}, "GetMetaConfiguration", None, "HRESULT 0x80041010", "MetadataError"),
        ({"Namespace": "root/nope"}, "X", None, "HRESULT 0x8004100e", "MetadataError"),
        ({}, "Nope", None, "HRESULT 0x8004102e", "MetadataError"),
        ({}, "GetMetaConfiguration", {"Nope": 1}, "HRESULT 0x8004102f", "InvalidArgument"),
        ({}, "SendConfigurationApply", {"force": True}, "HRESULT 0x8004102f", "InvalidArgument"),
        ({}, "GetConfigurationStatus", {"All": "yes"}, "HRESULT 0x80041005", "InvalidType"),
        ({}, "SendConfigurationApply", {"ConfigurationData": "text"}, "HRESULT 0x80041005", "InvalidType"),
        ({}, "SendConfigurationApply", {"ConfigurationData": [1, 256]}, "HRESULT 0x80041005", "InvalidType"),
        ({}, "SendConfigurationApply", "text", "HRESULT 0x80041005", "InvalidType"),
        ({}, "TestConfiguration", None, "MI RESULT 1", "NotSpecified"),
    ],
)
async def test_every_failure_is_an_error_record_and_no_result(
    node: SimulatedNode, *, change: dict[str, Any], method: str, arguments: Any, error_id: str, category: str
) -> None:
    out = await invoke(node, method, arguments, **change)

    assert out.values == []
    assert [(each.error_id, each.category) for each in out.errors] == [(f"{error_id},{TYPE}", category)]
    assert out.errors[0].exception_type == "Microsoft.Management.Infrastructure.CimException"


async def test_namespaces_may_be_written_with_backslashes(node: SimulatedNode) -> None:
    out = await invoke(node, "GetMetaConfiguration", Namespace=NAMESPACE.replace("/", "\\").upper())

    assert out.values[0].extended["MetaConfiguration"].properties["LCMState"] == "Idle"


async def test_a_missing_module_version_is_told_in_the_words_of_windows(node: SimulatedNode) -> None:
    data = document(service("a").replace("2.12.0.0", "2.11.0.0"))
    out = await invoke(
        node, "SendConfigurationApplyAsync", {"ConfigurationData": data, "force": True, "jobId": JOB}
    )

    assert [(each.error_id, each.category) for each in out.errors] == [
        (f"DscResourceNotFound,{TYPE}", "InvalidOperation")
    ]


async def test_a_job_goes_on_after_the_call_that_began_it(node: SimulatedNode) -> None:
    data = document(service("W32Time", 'State = "Stopped";'))
    out = await invoke(
        node, "SendConfigurationApplyAsync", {"ConfigurationData": data, "force": True, "jobId": JOB}
    )
    assert out.values[0].extended == {"ReturnValue": 0, "PSComputerName": None}

    await idle(node)
    status = (
        (await invoke(node, "GetConfigurationStatus", {"All": False}))
        .values[0]
        .extended["configurationStatus"]
    )
    assert [each.properties["JobID"] for each in status] == [JOB]
    assert node.journal.entries("job-ended")[0]["status"] == "Success"
