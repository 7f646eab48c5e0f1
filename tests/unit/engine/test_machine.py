from __future__ import annotations

from typing import Any

import pytest

from provisioner import events
from provisioner.engine.machine import FINAL, TRANSITIONS, Machine, NodeState, UnlistedTransition
from provisioner.events import NodeEvent

NODE_EVENTS = [kind for kind in events.Event.__args__ if issubclass(kind, NodeEvent)]
LISTED = [(state, event, to) for state, ways in TRANSITIONS.items() for event, to in ways.items()]
UNLISTED = [(state, event) for state in NodeState for event in NODE_EVENTS if event not in TRANSITIONS[state]]
S = NodeState


def make(kind: type[NodeEvent]) -> NodeEvent:
    """An event of a kind; the machine looks at nothing but the kind."""
    return object.__new__(kind)


def way(*kinds: type[NodeEvent]) -> list[NodeState]:
    machine = Machine()
    return [machine.advance(make(kind)) for kind in kinds]


@pytest.mark.parametrize(("state", "event", "to"), LISTED)
def test_every_listed_event_moves_the_node_as_listed(state: Any, event: Any, to: Any) -> None:
    machine = Machine()
    machine.state = state
    assert machine.advance(make(event)) is to
    assert machine.state is to


@pytest.mark.parametrize(("state", "event"), UNLISTED)
def test_every_unlisted_event_is_a_bug_and_moves_nothing(state: Any, event: Any) -> None:
    machine = Machine()
    machine.state = state
    with pytest.raises(UnlistedTransition, match="This is a bug in provisioner"):
        machine.advance(make(event))
    assert machine.state is state


def test_every_state_has_its_line_in_the_table() -> None:
    assert set(TRANSITIONS) == set(NodeState)


def test_every_state_can_be_reached_from_the_first() -> None:
    reached, border = {S.PENDING}, [S.PENDING]
    while border:
        new = set(TRANSITIONS[border.pop()].values()) - reached
        reached |= new
        border += new
    assert reached == set(NodeState)


def test_an_end_can_be_reached_from_every_state() -> None:
    for state in NodeState:
        assert state in FINAL or FINAL & set(TRANSITIONS[state].values())


def test_every_event_of_a_node_is_listed_somewhere() -> None:
    listed = {event for ways in TRANSITIONS.values() for event in ways}
    assert listed == set(NODE_EVENTS)


def test_only_done_failed_and_skipped_are_ends() -> None:
    assert {S.DONE, S.FAILED, S.SKIPPED} == FINAL


def test_the_way_of_a_node_that_reboots_once_is_the_one_in_the_essay() -> None:
    e = events
    kinds = [e.Connecting, e.Connected, e.Compared, e.Pushing, e.JobStarted, e.JobFinished, e.RebootStarted]
    kinds += [e.RebootFinished, e.Pushing, e.JobStarted, e.JobFinished, e.Compared, e.Converged, e.NodeDone]
    assert way(*kinds) == [
        S.CONNECTING,
        S.COMPARING,
        S.COMPARING,
        S.PUSHING,
        S.APPLYING,
        S.COMPARING,
        S.REBOOTING,
        S.COMPARING,
        S.PUSHING,
        S.APPLYING,
        S.COMPARING,
        S.COMPARING,
        S.VERIFYING,
        S.DONE,
    ]


@pytest.mark.parametrize("state", [S.COMPARING, S.PUSHING, S.APPLYING, S.REBOOTING, S.VERIFYING])
def test_a_lost_connection_changes_no_state_once_work_has_begun(state: Any) -> None:
    machine = Machine()
    machine.state = state
    for kind in (events.ConnectionLost, events.Connecting, events.Connected):
        assert machine.advance(make(kind)) is state


@pytest.mark.parametrize("state", [state for state in NodeState if state not in FINAL])
def test_a_node_may_fail_or_be_skipped_at_any_point(state: Any) -> None:
    for kind, end in ((events.NodeFailed, S.FAILED), (events.NodeSkipped, S.SKIPPED)):
        machine = Machine()
        machine.state = state
        assert machine.advance(make(kind)) is end
        assert machine.is_final
