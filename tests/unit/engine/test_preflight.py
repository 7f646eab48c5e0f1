"""Before anything is sent: a document that would cut the way it came by is refused by what the node tells."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from provisioner.engine.machine import NodeState
from provisioner.errors import NodeError
from provisioner.events import NodeFailed, Problem, ResourceProgress
from provisioner.transport.base import ErrorRecord, Record, Result
from tests.unit.engine.driving import Log, apply
from tests.unit.engine.model_node import ModelNode, ModelResource, World, work_for

SWITCH = "[xVMSwitch]external"


def row(alias: str, address: str) -> Record:
    return Record(("System.Object",), {"InterfaceAlias": alias, "IPAddress": address})


def route(alias: str, metric: int = 0, *, interface: int = 25, destination: str = "0.0.0.0/0") -> Record:
    told = {"DestinationPrefix": destination, "RouteMetric": metric, "InterfaceMetric": interface}
    return Record(("System.Object",), {"InterfaceAlias": alias, **told})


def adapter(name: str, description: str) -> Record:
    return Record(("System.Object",), {"Name": name, "InterfaceDescription": description})


def applied(
    answer: Result | Exception,
    *,
    taken: tuple[str, ...] = ("Ethernet",),
    address: str = "192.0.2.1",
    routes: tuple[Record, ...] = (),
    adapters: tuple[Record, ...] = (),
    name: str = SWITCH,
    management_adapter: str = "",
) -> tuple[World, Log, NodeState]:
    """Apply a document with one switch to a node that tells its addresses, routes and adapters."""
    world = World(resources=[ModelResource(name)])
    node: Any = ModelNode("hv01", world)

    async def run(pipeline: object, *, timeout_s: float = 60.0) -> Result:
        if str(pipeline) == "Get-NetRoute":
            return Result(output=routes)
        if str(pipeline) == "Get-NetAdapter":
            return Result(output=adapters)
        assert str(pipeline) == "Get-NetIPAddress"
        if isinstance(answer, Exception):
            raise answer
        return answer

    node.run = run
    takes = {name: taken} if taken else {}
    work = dataclasses.replace(
        work_for(node), taken_adapters=takes, address=address, management_adapter=management_adapter
    )
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
    [("2001:db8:0::1", "2001:db8::1"), ("fe80::1", "fe80::1%4")],
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


ELSEWHERE = Result(output=(row("Ethernet", "10.0.2.15"), row("Ethernet 2", "192.168.5.2")))


def test_behind_a_translation_of_addresses_the_adapter_of_the_default_route_counts() -> None:
    routes = (route("Ethernet"), route("Ethernet 2", destination="192.168.5.0/24"))
    problem = refused(ELSEWHERE, routes=routes)
    assert "which has the default route, while none has the address 192.0.2.1" in problem.message
    assert "translated" in problem.message


def test_and_it_is_said_when_the_switch_takes_another_one() -> None:
    world, log, state = applied(ELSEWHERE, taken=("Ethernet 2",), routes=(route("Ethernet"),))
    assert (world.pushes, state) == (1, NodeState.DONE)
    told = next(event for event in log.of(ResourceProgress) if event.phase == "Warning")
    assert told.resource == SWITCH
    assert told.text.startswith(
        "takes the adapter 'Ethernet 2' and leaves the adapter which has the default route"
    )


@pytest.mark.parametrize(
    ("routes", "taken"),
    [
        ((route("Ethernet", 10), route("Ethernet 2", 0)), ("Ethernet",)),
        ((route("Ethernet", interface=50), route("Ethernet 2", 1)), ("Ethernet",)),
        ((route("Ethernet", destination="::/0"), route("Ethernet 2", 256)), ("Ethernet",)),
    ],
)
def test_of_several_default_routes_the_cheapest_one_counts(
    routes: tuple[Record, ...], taken: tuple[str, ...]
) -> None:
    assert applied(ELSEWHERE, routes=routes, taken=taken)[2] is NodeState.DONE
    assert "default route" in refused(ELSEWHERE, routes=routes, taken=("Ethernet 2",)).message


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost"])
def test_behind_a_forwarded_port_the_address_of_the_loopback_is_none(address: str) -> None:
    loopback = (row("Loopback Pseudo-Interface 1", "127.0.0.1"), row("Loopback Pseudo-Interface 1", "::1"))
    told = Result(output=(*loopback, *ELSEWHERE.output))
    assert "default route" in refused(told, address=address, routes=(route("Ethernet"),)).message


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ((), "has no default route"),
        ((route("Ethernet", 5), route("Ethernet 2", 5)), "has default routes by several adapters alike"),
    ],
)
def test_where_the_default_route_settles_nothing_nothing_is_pushed(
    routes: tuple[Record, ...], said: str
) -> None:
    problem = refused(ELSEWHERE, routes=routes)
    assert said in problem.message
    assert "management_adapter" in problem.help


def test_an_address_of_the_other_family_leaves_by_the_route_of_its_family() -> None:
    routes = (route("Ethernet"), route("Ethernet 2", destination="::/0"))
    assert (
        "default route"
        in refused(ELSEWHERE, address="2001:db8::1", routes=routes, taken=("Ethernet 2",)).message
    )
    assert applied(ELSEWHERE, address="2001:db8::1", routes=routes)[2] is NodeState.DONE


def test_a_switch_may_name_its_adapter_by_the_description() -> None:
    told = Result(output=(row("Ethernet", "192.0.2.1"), row("Ethernet 2", "192.0.2.9")))
    adapters = (adapter("ethernet", "Intel(R) X710"), adapter("Ethernet 2", "Intel(R) X710 #2"))
    problem = refused(told, taken=("INTEL(R) X710",), adapters=adapters)
    assert "takes the adapter 'INTEL(R) X710' away" in problem.message
    assert applied(told, taken=("Intel(R) X710 #2",), adapters=adapters)[2] is NodeState.DONE


def test_a_team_takes_its_members_and_is_helped_in_its_own_words() -> None:
    told = Result(output=(row("Ethernet", "192.0.2.1"), row("Ethernet 2", "169.254.3.1")))
    problem = refused(told, taken=("Ethernet", "Ethernet 2"), name="[NetworkTeam]uplink")
    assert "takes the adapter 'Ethernet' away" in problem.message
    assert problem.help.startswith("Leave the adapter out of the team.")


def test_an_adapter_the_inventory_names_is_known_by_its_description_too() -> None:
    """The compiler has compared names; what else the adapter is called only the node knows."""
    not_asked = NodeError("hv01", "was asked for its addresses")
    adapters = (adapter("Ethernet", "Intel(R) X710"), adapter("Ethernet 2", "Intel(R) X710 #2"))
    named: dict[str, Any] = {"adapters": adapters, "management_adapter": "ethernet"}
    problem = refused(not_asked, taken=("Intel(R) X710",), **named)
    assert "which is the one the inventory names" in problem.message
    assert applied(not_asked, taken=("Intel(R) X710 #2",), **named)[2] is NodeState.DONE
