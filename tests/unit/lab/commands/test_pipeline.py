"""Pipelines: statements, commands joined, preferences, unknown commands, script text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.commands import pipeline, registry
from provisioner.lab.commands.base import CommandSpec, Invocation, Parameter
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import CommandCall, ErrorRecord, TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, feed, make_node, run


async def echo(invocation: Invocation) -> None:
    """Write the given values, then whatever comes in."""
    for value in invocation.parameters.get("Value") or ():
        invocation.output.write(value)
    async for value in invocation.input:
        invocation.output.write(value)


async def complain(invocation: Invocation) -> None:
    """Write on every stream, the object last."""
    invocation.output.error(ErrorRecord("oh", "Oh,Complain", "InvalidData"))
    invocation.output.warning("careful")
    invocation.output.verbose("chatter")
    invocation.output.write("done")


_HERE = __name__
SPECS = (
    CommandSpec("Write-Echo", f"{_HERE}:echo", "Tests", (Parameter("Value", "array", 0),)),
    CommandSpec("Complain", f"{_HERE}:complain", "Tests"),
    CommandSpec("Get-Hidden", f"{_HERE}:echo", "Tests", feature="Hyper-V-PowerShell"),
)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimulatedNode:
    monkeypatch.setattr(registry, "table", lambda: {spec.name.casefold(): spec for spec in SPECS})
    return make_node(tmp_path)


async def test_objects_flow_from_command_to_command_one_by_one(node: SimulatedNode) -> None:
    out = await run(node, call("Write-Echo", [1, [2, 3]]), call("Write-Echo", ["first"]))

    assert out.values == ["first", 1, 2, 3]


async def test_input_goes_to_the_first_command_only(node: SimulatedNode) -> None:
    out = await run(node, call("write-echo", ends=True), call("Tests\\Write-Echo", ["b"]), given=["a"])

    assert out.values == ["a", "b"]


async def test_other_streams_of_a_joined_command_go_out(node: SimulatedNode) -> None:
    out = await run(node, call("Complain", Verbose=True), call("Write-Echo"))

    assert (out.values, [each.message for each in out.errors]) == (["done"], ["oh"])
    assert (out.warnings, out.verboses) == (["careful"], ["chatter"])


@pytest.mark.parametrize(
    ("parameters", "errors", "warnings", "verboses"),
    [
        ({}, 1, 1, 0),
        ({"ErrorAction": "SilentlyContinue"}, 0, 1, 0),
        ({"ErrorAction": 4, "WarningAction": 0}, 0, 0, 0),
        ({"Verbose": True}, 1, 1, 1),
    ],
)
async def test_preferences_decide_what_is_shown(
    node: SimulatedNode, parameters: dict[str, Any], errors: int, warnings: int, verboses: int
) -> None:
    out = await run(node, call("Complain", **parameters))

    assert (len(out.errors), len(out.warnings), len(out.verboses)) == (errors, warnings, verboses)
    assert out.values == ["done"]


async def test_error_action_stop_ends_the_pipeline(node: SimulatedNode) -> None:
    recorded = Recorded()
    calls = [call("Complain", ErrorAction="Stop", ends=True), call("Write-Echo", ["never"])]

    with pytest.raises(TerminatingError) as caught:
        await pipeline.run_pipeline(node, calls, feed([]), recorded, "u")

    assert caught.value.record.error_id == "Oh,Complain"
    assert recorded.values == []


@pytest.mark.parametrize("name", ["Get-Nope", "Get-Hidden", "Other\\Write-Echo"])
async def test_a_command_that_is_not_there_ends_the_pipeline_before_anything_runs(
    node: SimulatedNode, name: str
) -> None:
    recorded = Recorded()
    with pytest.raises(TerminatingError) as caught:
        await pipeline.run_pipeline(node, [call("Write-Echo", ["x"]), call(name)], feed([]), recorded, "u")

    record = caught.value.record
    assert (record.error_id, record.category, record.target) == (
        "CommandNotFoundException",
        "ObjectNotFound",
        name,
    )
    assert record.message.startswith(f"The term '{name}' is not recognized as the name of a cmdlet")
    assert recorded.values == []


async def test_script_text_is_refused_as_without_a_language(node: SimulatedNode) -> None:
    with pytest.raises(TerminatingError) as caught:
        await run(node, call("Write-Echo", ["x"]), CommandCall("1 + 1", is_script=True))

    record = caught.value.record
    assert (record.error_id, record.category, record.reason) == (
        "ScriptsNotAllowed",
        "ParserError",
        "ParseException",
    )
    assert record.target == "1 + 1"


async def test_the_journal_names_commands_and_parameters_but_no_values(node: SimulatedNode) -> None:
    await run(node, call("Write-Echo", ["secret"]))

    entry = node.journal.entries("command")[0]
    assert (entry["name"], entry["parameters"]) == ("Write-Echo", ["Value"])
    assert "secret" not in node.journal.path.read_text()


def test_commands_of_a_feature_are_listed_once_it_is_installed(node: SimulatedNode) -> None:
    assert [spec.name for spec in pipeline.list_commands(node, [])] == ["Complain", "Write-Echo"]
    assert [spec.name for spec in pipeline.list_commands(node, ["write-*"])] == ["Write-Echo"]
    node.machine.features.install(["Hyper-V-PowerShell"])
    assert [spec.name for spec in pipeline.list_commands(node, ["get-*"])] == ["Get-Hidden"]
