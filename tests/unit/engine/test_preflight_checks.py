"""What has to hold before anything is changed is asked once, and only where something would be changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from provisioner.engine.machine import NodeState
from provisioner.engine.work import PastLegs
from provisioner.events import PREFLIGHT, CheckFinished, NodeFailed
from tests.unit.engine.driving import Log, apply
from tests.unit.engine.model_node import ModelNode, World, resources, work_for


class Asked:
    """A preflight of one check; what it was asked for, and what the node had been sent by then."""

    def __init__(self, world: World, outcome: str = "passed") -> None:
        self.world = world
        self.outcome = outcome
        self.sent_before: list[tuple[int, int]] = []

    async def __call__(self, flow: Any) -> list[CheckFinished]:
        self.sent_before.append((self.world.pushes, self.world.meta_pushes))
        event = CheckFinished(
            flow.name, "role", "test_room", self.outcome, "there is no room", stage=PREFLIGHT
        )
        flow.record(event)
        return [event]


def applied(world: World, asked: Asked, **changes: Any) -> tuple[Log, NodeState]:
    work = dataclasses.replace(work_for(ModelNode("hv01", world)), has_preflight=True)
    log, flow = apply(world, work=work, preflight=asked, **changes)
    return log, flow.machine.state


def other_settings(world: World) -> None:
    world.settings["RebootNodeIfNeeded"] = True


def nothing(_world: World) -> None:
    pass


@pytest.mark.parametrize("prepare", [nothing, other_settings])
def test_it_is_asked_once_and_before_anything_is_sent(prepare: Callable[[World], None]) -> None:
    world = World(resources=resources("[Service]a", "[f]b", asks_reboot=True))
    prepare(world)
    asked = Asked(world)
    _, state = applied(world, asked)
    assert state is NodeState.DONE
    assert world.pushes > 1
    assert asked.sent_before == [(0, 0)]


@pytest.mark.parametrize("outcome", ["failed", "error"])
@pytest.mark.parametrize("prepare", [nothing, other_settings])
def test_where_it_does_not_pass_nothing_is_sent(prepare: Callable[[World], None], outcome: str) -> None:
    world = World(resources=resources("[Service]a"))
    prepare(world)
    log, state = applied(world, Asked(world, outcome))
    assert state is NodeState.FAILED
    assert (world.pushes, world.meta_pushes, world.restarts) == (0, 0, 0)
    failed = log.one(NodeFailed)
    [problem] = failed.problems
    assert failed.kind == "PreflightFailed"
    assert (problem.message, problem.resource) == ("there is no room", "role: test_room")
    assert problem.help.startswith("Nothing was changed")


def test_a_skipped_one_is_no_reason_to_stop() -> None:
    world = World(resources=resources("[Service]a"))
    assert applied(world, Asked(world, "skipped"))[1] is NodeState.DONE


def test_a_node_in_desired_state_is_asked_nothing() -> None:
    world = World(resources=resources("[Service]a", is_done=True))
    asked = Asked(world, "failed")
    assert applied(world, asked)[1] is NodeState.DONE
    assert asked.sent_before == []


def test_a_run_that_goes_on_does_not_ask_about_what_it_has_begun_to_change() -> None:
    world = World(resources=resources("[Service]a"))
    asked = Asked(world, "failed")
    assert applied(world, asked, past=PastLegs(legs=1))[1] is NodeState.DONE
    assert asked.sent_before == []


def test_a_run_that_goes_on_with_another_document_asks_again() -> None:
    world = World(resources=resources("[Service]a"))
    asked = Asked(world)
    applied(world, asked, past=PastLegs(legs=1, is_same_document=False))
    assert asked.sent_before == [(0, 0)]


def test_a_node_without_one_is_asked_nothing() -> None:
    world = World(resources=resources("[Service]a"))
    asked = Asked(world)
    work = work_for(ModelNode("hv01", world))
    apply(world, work=work, preflight=asked)
    assert (asked.sent_before, world.pushes) == ([], 1)
