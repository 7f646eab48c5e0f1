"""The command table, and the small commands about the node as a whole."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from provisioner.lab.commands import registry
from provisioner.lab.simulated_node import SimulatedNode
from tests.unit.lab.commands.recording import call, make_node, run
from tests.unit.lab.waiting import until


@pytest.fixture
def node(tmp_path: Path) -> SimulatedNode:
    return make_node(tmp_path)


def test_every_line_names_a_function_that_is_there() -> None:
    for spec in registry.table().values():
        assert inspect.iscoroutinefunction(registry.function(spec)), spec.name


def test_no_two_parameters_of_a_command_share_a_name_or_position() -> None:
    for spec in registry.table().values():
        names = [name.casefold() for each in spec.parameters for name in {each.name, *each.aliases}]
        assert len(set(names)) >= len({each.name for each in spec.parameters}), spec.name
        positions = [each.position for each in spec.parameters if each.position is not None]
        assert len(positions) == len(set(positions)), spec.name


async def test_restart_computer_restarts_the_node_and_answers_before(node: SimulatedNode) -> None:
    await node.start()
    out = await run(node, call("Restart-Computer", Force=True))

    assert (out.values, out.errors, node.is_up) == ([], [], True)
    await until(lambda: bool(node.journal.entries("boot")))
    await node.stop()


async def test_restart_computer_reaches_no_other_machine(node: SimulatedNode) -> None:
    out = await run(
        node, call("Restart-Computer", "HV02", WhatIf=False), call("Restart-Computer", WhatIf=True)
    )

    assert [each.error_id for each in out.errors] == [
        "RestartcomputerFailed,Microsoft.PowerShell.Commands.RestartComputerCommand"
    ]
    assert node.journal.entries("shutdown") == []


async def test_start_sleep_waits_simulated_seconds(node: SimulatedNode) -> None:
    before = node.clock.now()
    await run(node, call("Start-Sleep", 5), call("Start-Sleep", Milliseconds=500))

    assert (node.clock.now() - before).total_seconds() >= 5.5


async def test_get_command_lists_what_the_node_has(node: SimulatedNode) -> None:
    out = await run(node, call("Get-Command", ["*-CimInstance", "Get-Nope"]))

    assert [(each.properties["Name"], each.properties["Source"]) for each in out.values] == [
        ("Get-CimInstance", "CimCmdlets")
    ]
    assert [each.error_id for each in out.errors] == [
        "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand"
    ]
    hidden = await run(node, call("Get-Command", "Get-VM", ErrorAction="SilentlyContinue"))
    assert hidden.values == []
