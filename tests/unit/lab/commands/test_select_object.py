"""Select-Object gives what recorded PowerShell gives."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.node import select_object
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import EnumValue, PsObject, TerminatingError
from tests.shared_data import shared
from tests.unit.lab.commands.recording import Recorded, call, make_node, run

FEATURE = PsObject(
    ("Feature", "System.Object"), {"Name": "Hyper-V", "Installed": True}, {"Note": 1}, "Hyper-V"
)


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


async def select(node: SimulatedNode, *values: Any, **parameters: Any) -> list[Any]:
    async def given() -> AsyncIterator[Any]:
        for value in values:
            yield value

    recorded = Recorded()
    await select_object.run(Invocation(node, parameters, given(), recorded, "u"))
    assert not recorded.errors
    return recorded.values


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["name"], {"Name": "Hyper-V"}),
        (["Note", "Name"], {"Note": 1, "Name": "Hyper-V"}),
        (["N*"], {"Name": "Hyper-V", "Note": 1}),
        (["Missing"], {"Missing": None}),
        (["Missing*"], {}),
        (["Name", "*"], {"Name": "Hyper-V", "Installed": True, "Note": 1}),
    ],
    ids=str,
)
async def test_properties_are_chosen_by_name_or_wildcard_in_the_order_asked_for(
    node: SimulatedNode, patterns: list[str], chosen: dict[str, Any]
) -> None:
    (selected,) = await select(node, FEATURE, Property=patterns)
    assert list(selected.extended.items()) == list(chosen.items())
    assert not selected.properties


async def test_without_properties_the_objects_themselves_are_handed_on(node: SimulatedNode) -> None:
    assert await select(node, FEATURE, "text") == [FEATURE, "text"]


@pytest.mark.parametrize(("first", "count"), [(0, 0), (2, 2), (5, 3)])
async def test_no_more_than_the_first_are_handed_on(node: SimulatedNode, first: int, count: int) -> None:
    assert await select(node, 1, 2, 3, First=first) == [1, 2, 3][:count]


async def test_a_calculated_property_is_refused_for_scripts_do_not_run(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError) as caught:
        await select(node, FEATURE, Property=[5])
    assert caught.value.record.error_id == f"DictionaryKeyUnknownType,{select_object.TYPE}"


async def test_a_pipeline_of_features_ends_in_their_states(node: SimulatedNode) -> None:
    recorded = await run(
        node,
        call("Get-WindowsFeature", "Hyper-V"),
        call("Select-Object", Property=["Name", "InstallState"]),
    )
    (selected,) = recorded.values
    assert selected.type_names[0] == "Selected.Microsoft.Windows.ServerManager.Commands.Feature"
    assert selected.extended["Name"] == "Hyper-V"
    assert isinstance(selected.extended["InstallState"], EnumValue)


@pytest.mark.parametrize(
    ("recorded", "value", "patterns"),
    [
        ("pso-037", "x", ["Length"]),
        (
            "pso-036",
            PsObject(("System.Management.Automation.PSCustomObject",), extended={"a": 1, "c": 5}),
            ["a", "c"],
        ),
    ],
    ids=["text", "custom object"],
)
async def test_type_names_and_members_are_those_of_a_recording(
    node: SimulatedNode, recorded: str, value: Any, patterns: list[str]
) -> None:
    lines = (shared("powershell-goldens") / "clixml/values.jsonl").read_text(encoding="utf-8").splitlines()
    golden = next(entry for entry in map(json.loads, lines) if entry["id"] == recorded)
    written = ET.fromstring(golden["psrp"])
    (selected,) = await select(node, value, Property=patterns)
    assert selected.type_names == tuple(name.text for name in written.iterfind("TN/T"))
    members = {member.attrib["N"]: int(member.text or "") for member in written.iterfind("MS/I32")}
    assert selected.extended == members
