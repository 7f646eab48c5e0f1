"""Before anything is sent: a document that would cut the way it came by is refused by what the node tells."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from provisioner.engine.machine import NodeState
from provisioner.errors import NodeError
from provisioner.events import NodeFailed, Problem
from provisioner.transport.base import ErrorRecord, Record, Result
from tests.unit.engine.driving import Log, apply
from tests.unit.engine.model_node import ModelNode, ModelResource, World, work_for

SWITCH = "[xVMSwitch]external"


def row(alias: str, address: str) -> Record:
    return Record(("System.Object",), {"InterfaceAlias": alias, "IPAddress": address})


def applied(
    answer: Result | Exception, *, taken: tuple[str, ...] = ("Ethernet",), address: str = "192.0.2.1"
) -> tuple[World, Log, NodeState]:
    """Apply a document with one switch to a node that tells its addresses."""
    world = World(resources=[ModelResource(SWITCH)])
    node: Any = ModelNode("hv01", world)

    async def run(pipeline: object, *, timeout_s: float = 60.0) -> Result:
        assert str(pipeline) == "Get-NetIPAddress"
        if isinstance(answer, Exception):
            raise answer
        return answer

    node.run = run
    takes = {SWITCH: taken} if taken else {}
    work = dataclasses.replace(work_for(node), taken_adapters=takes, address=address)
    log, flow = apply(world, work=work)
    return world, log, flow.machine.state


def refused(answer: Result | Exception, **changes: Any) -> Problem:
    world, log, state = applied(answer, **changes)
    assert state is NodeState.FAILED
    assert (world.pushes, world.meta_pushes) == (0, 0)
    failed = log.one(NodeFailed)
    assert failed.kind == "NodeError"
    [problem] = failed.problems
    return problem


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        ([row("Ethernet", "192.0.2.1")], ("Ethernet",)),
        ([row("Ethernet 2", "192.0.2.9"), row("ETHERNET", "192.0.2.1")], ("Ethernet",)),
        ([row("vEthernet (external)", "192.0.2.1")], ("Ethernet", "vEthernet (external)")),
    ],
)
def test_a_switch_on_the_adapter_of_our_address_is_refused(
    told: list[Record], taken: tuple[str, ...]
) -> None:
    problem = refused(Result(output=tuple(told)), taken=taken)
    assert problem.resource == SWITCH
    assert problem.position == "roles/r/role.yaml:10:3"
    assert "which has the address 192.0.2.1" in problem.message
    assert "AllowManagementOS" in problem.help


def test_a_switch_on_another_adapter_is_made() -> None:
    told = Result(output=(row("Ethernet", "192.0.2.1"), row("Ethernet 2", "192.0.2.9")))
    world, _, state = applied(told, taken=("Ethernet 2",))
    assert (world.pushes, state) == (1, NodeState.DONE)


@pytest.mark.parametrize(
    ("address", "told"),
    [("2001:db8:0::1", "2001:db8::1"), ("fe80::1", "fe80::1%4"), ("localhost", "127.0.0.1")],
)
def test_an_address_is_the_same_in_any_spelling(address: str, told: str) -> None:
    problem = refused(Result(output=(row("Ethernet", told),)), address=address)
    assert f"which has the address {address}" in problem.message


@pytest.mark.parametrize(
    "told",
    [
        Result(),
        Result(output=(row("Ethernet", "192.0.2.7"), "text")),
        Result(terminated=ErrorRecord("Get-NetIPAddress is not recognized", "CommandNotFoundException", "")),
        Result(errors=(ErrorRecord("Access is denied.", "x", "PermissionDenied"),)),
    ],
)
def test_who_does_not_know_does_not_push(told: Result) -> None:
    problem = refused(told)
    assert "does not tell which adapter has the address 192.0.2.1" in problem.message
    assert "management_adapter" in problem.help
    reason = told.terminated or next(iter(told.errors), None)
    assert reason is None or reason.message in problem.message


def test_a_name_nobody_resolves_counts_as_unknown() -> None:
    problem = refused(Result(output=(row("Ethernet", "192.0.2.1"),)), address="no-such-host.invalid")
    assert "does not tell which adapter" in problem.message


def test_without_a_switch_that_takes_an_adapter_nothing_is_asked() -> None:
    world, _, state = applied(NodeError("hv01", "was asked"), taken=())
    assert (world.pushes, state) == (1, NodeState.DONE)
