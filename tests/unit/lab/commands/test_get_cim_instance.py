"""Get-CimInstance over the classes of a machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.devices import DriverSpec, InstallationSpec
from provisioner.lab.lcm.cim import NAMESPACE
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, make_node, run

TYPE = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


async def get(node: SimulatedNode, **parameters: Any) -> Recorded:
    return await run(node, call("Get-CimInstance", **parameters))


async def test_a_class_gives_its_instances_with_adapted_properties(node: SimulatedNode) -> None:
    found = (await get(node, ClassName="win32_operatingsystem")).values

    assert len(found) == 1
    assert found[0].properties["LastBootUpTime"] == node.machine.boot_time
    assert (
        found[0].type_names[0]
        == "Microsoft.Management.Infrastructure.CimInstance#root/cimv2/Win32_OperatingSystem"
    )


@pytest.mark.parametrize(
    "parameters",
    [
        {"ClassName": "Win32_Service", "Filter": "Name = 'w32time'"},
        {"Query": "SELECT * FROM Win32_Service WHERE Name LIKE 'W32T%'"},
    ],
)
async def test_a_filter_and_a_query_choose_instances(node: SimulatedNode, parameters: dict[str, Any]) -> None:
    assert [each.properties["Name"] for each in (await get(node, **parameters)).values] == ["W32Time"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"ClassName": "Win32_Service", "Filter": "Name = 'W32Time'", "Property": ["name"]},
        {"Query": "SELECT Name FROM Win32_Service WHERE Name = 'W32Time'"},
    ],
)
async def test_properties_nobody_asked_for_are_null(node: SimulatedNode, parameters: dict[str, Any]) -> None:
    properties = (await get(node, **parameters)).values[0].properties

    assert properties["Name"] == "W32Time"
    assert {value for name, value in properties.items() if name != "Name"} == {None}


@pytest.mark.parametrize(
    ("parameters", "error_id", "category"),
    [
        ({"ClassName": "Win32_Nope"}, "HRESULT 0x80041010", "MetadataError"),
        ({"ClassName": "X", "Namespace": "root/nope"}, "HRESULT 0x8004100e", "MetadataError"),
        ({"ClassName": "X", "Namespace": "root/virtualization/v2"}, "HRESULT 0x8004100e", "MetadataError"),
        ({"ClassName": "X", "Namespace": NAMESPACE}, "HRESULT 0x80041010", "MetadataError"),
        ({"Query": "give me all"}, "HRESULT 0x80041017", "InvalidArgument"),
        ({"ClassName": "Win32_Service", "Filter": "Name ="}, "HRESULT 0x80041017", "InvalidArgument"),
        ({"ClassName": "Win32_Service", "Filter": "Bogus = 1"}, "HRESULT 0x80041017", "InvalidArgument"),
    ],
)
async def test_what_is_not_there_is_an_error_record(
    node: SimulatedNode, parameters: dict[str, Any], error_id: str, category: str
) -> None:
    out = await get(node, **parameters)

    assert out.values == []
    assert [(each.error_id, each.category) for each in out.errors] == [(f"{error_id},{TYPE}", category)]


@pytest.mark.parametrize(
    "parameters", [{}, {"ClassName": "Win32_Service", "Query": "SELECT * FROM Win32_Service"}]
)
async def test_a_class_or_a_query_must_be_given(node: SimulatedNode, parameters: dict[str, Any]) -> None:
    with pytest.raises(TerminatingError, match="Parameter set cannot be resolved"):
        await get(node, **parameters)


async def test_a_node_has_the_drivers_of_hyper_v_and_those_it_was_given(tmp_path: Path) -> None:
    drivers = (
        DriverSpec(inf="viostor.inf", service="viostor", start="Boot"),
        DriverSpec(inf="NetKVM.inf", device_class="Net"),
    )
    node = make_node(tmp_path, installation=InstallationSpec(firmware="bios", rearms=2, drivers=drivers))
    loaded = {
        each.properties["Name"]: each.properties["StartMode"]
        for each in (await get(node, ClassName="Win32_SystemDriver")).values
    }
    assert loaded == {"vmbus": "Boot", "storvsc": "Boot", "netvsc": "Manual", "viostor": "Boot"}
    store = (await run(node, call("Get-WindowsDriver", Online=True))).values
    names = [each.properties["OriginalFileName"].rpartition("\\")[2] for each in store]
    assert names == ["viostor.inf", "netkvm.inf"]
    assert [each.properties["BootCritical"] for each in store] == [True, False]
    [licensing] = (await get(node, ClassName="SoftwareLicensingService")).values
    assert licensing.properties["RemainingWindowsReArmCount"] == 2
    [computer] = (await run(node, call("Get-ComputerInfo", Property="BiosFirmwareType"))).values
    assert (computer.properties["BiosFirmwareType"].text, len(computer.properties)) == ("Bios", 1)
