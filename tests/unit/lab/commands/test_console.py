"""Commands that write and show text."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provisioner.lab.commands import registry
from provisioner.lab.commands.aliases import ALIASES
from provisioner.lab.commands.console.formatting import lines_of
from provisioner.lab.commands.pipeline import run_pipeline
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import CommandCall, EnumValue, PsObject, ScriptExit, TerminatingError
from tests.unit.lab.commands.recording import Recorded, call, feed, make_node, run

_STATUS = EnumValue("S.Status", "Running", 4)


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


def _object(**properties: Any) -> PsObject:
    return PsObject(("Selected.X", "System.Object"), extended=properties)


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ([None], []),
        (["one", "two\r\nthree"], ["one", "two", "three"]),
        ([True, 5, 2.0, 2.5, 1e20], ["True", "5", "2", "2.5", "1e+20"]),
        ([[1, ["a"]], b"\x01\x02"], ["1", "a", "1", "2"]),
        ([_STATUS], ["Running"]),
        (
            [datetime(2026, 3, 5, 15, 4, 9, tzinfo=UTC), datetime(2026, 11, 21, 0, 0, 0, tzinfo=UTC)],
            ["Thursday, March 5, 2026 3:04:09 PM", "Saturday, November 21, 2026 12:00:00 AM"],
        ),
        (
            [_object(Name="WinRM", Status=_STATUS), _object(Name="a", Status=_STATUS)],
            ["", "Name   Status", "----   ------", "WinRM Running", "a     Running", "", ""],
        ),
        (
            [_object(A=1, Bb="x", C=None, D=["p", "q"], E=True)],
            ["", "", "A  : 1", "Bb : x", "C  :", "D  : {p, q}", "E  : True", "", ""],
        ),
    ],
)
def test_values_are_shown_as_lines(values: list[Any], lines: list[str]) -> None:
    assert [line.rstrip() for line in lines_of(values)] == lines


async def test_write_output_unrolls_what_it_is_given(node: SimulatedNode) -> None:
    assert (await run(node, call("Write-Output", [1, 2]))).values == [1, 2]
    assert (await run(node, call("echo", "a"))).values == ["a"]
    assert (await run(node, call("Write-Output", [1, 2], NoEnumerate=True))).values == [[1, 2]]


async def test_out_null_takes_all_and_out_string_makes_text(node: SimulatedNode) -> None:
    assert (await run(node, call("Write-Output", [1, 2]), call("Out-Null"))).values == []
    assert (await run(node, call("Write-Output", [1, 2]), call("Out-String"))).values == ["1\r\n2\r\n"]
    assert (await run(node, call("Write-Output", [1, 2]), call("Out-String", Stream=True))).values == [
        "1",
        "2",
    ]


async def test_select_object_expands_one_property(node: SimulatedNode) -> None:
    out = await run(node, call("Get-Service", "WinRM"), call("select", ExpandProperty="name"))
    assert out.values == ["WinRM"]
    out = await run(node, call("Get-Service", "WinRM"), call("select", ExpandProperty="Nope"))
    assert [error.error_id.split(",")[0] for error in out.errors] == ["ExpandPropertyNotFound"]


async def test_invoke_expression_runs_constant_commands(node: SimulatedNode) -> None:
    out = await run(node, call("Invoke-Expression", "Write-Output a; Write-Output 'b c'"))
    assert out.values == ["a", "b c"]
    with pytest.raises(TerminatingError) as refused:
        await run(node, call("iex", "$x = 1"))
    assert refused.value.record.error_id == "ScriptsNotAllowed"
    with pytest.raises(ScriptExit) as end:
        await run(node, call("iex", "exit 6"))
    assert end.value.code == 6


async def test_a_script_runs_in_its_place_among_the_statements(node: SimulatedNode) -> None:
    script = CommandCall("Write-Output b", is_script=True, ends_statement=True)
    out = await run(node, call("Write-Output", "a", ends=True), script, call("Write-Output", "c"))
    assert out.values == ["a", "b", "c"]


async def test_a_flag_takes_a_value_only_where_the_command_has_one(node: SimulatedNode) -> None:
    node.machine.files.write("C:\\Windows\\Temp\\a.txt", b"x")
    await run(node, CommandCall("Remove-Item -Force C:\\Windows\\Temp\\a.txt", is_script=True))
    assert not node.machine.files.is_file("C:\\Windows\\Temp\\a.txt")
    out = await run(node, CommandCall("Get-Service -Name\nGet-Service -Nope x", is_script=True))
    found = [error.error_id.partition(",")[0] for error in out.errors]
    assert found == ["MissingArgument", "NamedParameterNotFound"]


async def test_an_error_ends_its_statement_and_not_the_script(node: SimulatedNode) -> None:
    """As recorded of a real server: the record is written, the pipeline completes."""
    out = await run(node, CommandCall("nosuch; Write-Output a; Get-Service -Nope x; 'b'", is_script=True))
    assert out.values == ["a", "b"]
    assert [error.error_id.partition(",")[0] for error in out.errors] == [
        "CommandNotFoundException",
        "NamedParameterNotFound",
    ]


@pytest.mark.parametrize(
    "script", ["Write-Output a; Get-Service nope -ErrorAction Stop; 'b'", "Write-Output a; iex '$x'; 'b'"]
)
async def test_what_was_told_to_stop_ends_the_script(node: SimulatedNode, script: str) -> None:
    recorded = Recorded()
    with pytest.raises(TerminatingError):
        await run_pipeline(
            node, [CommandCall(script, is_script=True)], feed([]), recorded, "HV01\\provisioner"
        )
    assert recorded.values == ["a"]


def test_every_alias_means_a_command() -> None:
    for name, command in ALIASES.items():
        assert command.casefold() in registry.table(), name
