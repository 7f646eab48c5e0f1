"""Session configurations without a language: what is seen there, and what runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioner.lab.commands.pipeline import list_commands, run_pipeline
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.spec import RESTRICTED_COMMANDS, EndpointSpec
from provisioner.lab.values import CommandCall, TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, feed, make_node

_SHOWN = frozenset(name.casefold() for name in (*RESTRICTED_COMMANDS, "Get-Service"))
_SCRIPT = CommandCall("Get-Service WinRM", is_script=True)


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path, endpoints={"narrow": EndpointSpec("Narrow", _SHOWN)})


async def _run(node: SimulatedNode, endpoint: str, *calls: CommandCall) -> Recorded:
    recorded = Recorded()
    try:
        await run_pipeline(node, calls, feed([]), recorded, "HV01\\provisioner", endpoint)
    except TerminatingError as problem:
        recorded.errors.append(problem.record)
    return recorded


def test_only_the_commands_of_an_endpoint_are_listed(node: SimulatedNode) -> None:
    listed = {spec.name for spec in list_commands(node, [], "Narrow")}
    assert {"Get-Service", "Get-Command", "Select-Object"} <= listed <= {*RESTRICTED_COMMANDS, "Get-Service"}
    assert "Remove-Item" in {spec.name for spec in list_commands(node, [], "Microsoft.PowerShell")}


@pytest.mark.parametrize("endpoint", ["Narrow", "narrow", "NARROW"])
async def test_a_script_is_refused_in_its_turn(node: SimulatedNode, endpoint: str) -> None:
    out = await _run(node, endpoint, call("Get-Service", "WinRM", ends=True), _SCRIPT)
    assert len(out.values) == 1
    (error,) = out.errors
    assert (error.error_id, error.category) == ("ScriptsNotAllowed", "ParserError")
    assert error.target == "Get-Service WinRM"
    assert error.message.endswith("in no-language mode.")  # Windows' own words, and no more


@pytest.mark.parametrize("name", ["Remove-Item", "rm", "Invoke-Expression", "iex", "hostname"])
async def test_what_an_endpoint_does_not_show_is_not_found(node: SimulatedNode, name: str) -> None:
    out = await _run(node, "Narrow", call(name, "C:\\Windows"))
    assert [error.error_id for error in out.errors] == ["CommandNotFoundException"]
    assert node.machine.files.is_folder("C:\\Windows")


async def test_the_default_endpoint_has_them_all(node: SimulatedNode) -> None:
    out = await _run(node, "Microsoft.PowerShell", _SCRIPT)
    assert len(out.values) == 1
    assert not out.errors


async def test_a_program_may_be_named_as_a_command(node: SimulatedNode) -> None:
    out = await _run(node, "", call("hostname"))
    assert out.values == [node.computer_name]
    out = await _run(
        node, "", call("hostname", ends=True), call("cmd", "/c", "echo", "one"), call("Out-String")
    )
    assert out.values == [node.computer_name, "one\r\n"]
    out = await _run(node, "", call("nosuchprogram"))
    assert [error.error_id for error in out.errors] == ["CommandNotFoundException"]
