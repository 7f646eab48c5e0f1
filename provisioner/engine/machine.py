"""The states of one node during an apply, as a table.

Nothing here does I/O, reads a clock or rolls dice: events go in, a state comes out.

The rule
--------
A node is always in exactly one state, and only an event moves it:

    PENDING ──Connecting──▶ CONNECTING ──Connected──▶ COMPARING ◀───────────────┐
                                                      │ │ │ ▲                   │
             nothing differs (Converged) ◀────────────┘ │ │ └──RebootFinished── REBOOTING
                  │                                     │ └────RebootStarted─────▶ ▲
                  ▼                                  Pushing
              VERIFYING                                 ▼
                  │                                  PUSHING ──JobStarted──▶ APPLYING
               NodeDone                                                         │
                  ▼                         COMPARING ◀────────JobFinished──────┘
                DONE                  NodeFailed ▶ FAILED · NodeSkipped ▶ SKIPPED, from every state above

What the states mean
--------------------
PENDING is a node that nothing was done to. A node that has to wait for others says so (Waiting) and stays in it.

CONNECTING is first contact only. A connection that breaks later does not change the state: the work goes on
on the node, we only cannot see it. So ConnectionLost, Connecting and Connected are listed in every state
between, and lead back to the same state. (The first design had a RECONNECTING state. It had to remember which
state to come back to, and a table cannot.)

COMPARING is the hub: we ask the node what it is, and decide. It is where the node stands before the first
document, after each job, and after each reboot; which of the exits is taken depends on the answers, not on the
way in. RebootFinished is listed in COMPARING too, because a node may come back from a reboot that we did not
begin: a resumed run finds the node rebooted by its killed predecessor, and now and then a node restarts by
itself. JobStarted is listed in COMPARING for the same reason: a resumed run attaches to a job that is there.
Checks end here too: those of the preflight, before anything is changed. So does the upload of files.

PUSHING lies between two events on purpose. Pushing is written down *before* the document is sent, JobStarted
after the node took it. A controller killed between the two leaves a journal that ends in PUSHING, and the next
one knows the one job id it has to ask the node about before it may send anything.

DONE, FAILED and SKIPPED have no exits. NodeFailed and NodeSkipped lead out of every other state, because the
world may break at any point and the user may press Ctrl-C at any point.

A pair that is not listed is a bug in the engine, never the world's fault, so it raises `UnlistedTransition`
and not one of the errors a user may meet. Whoever adds an event of a node adds a line here: a test fails
otherwise.

A run is replayed by feeding the recorded events of a node to a fresh machine: same events, same state.
"""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

from provisioner.events import (
    CheckFinished,
    Compared,
    Connected,
    Connecting,
    ConnectionLost,
    Converged,
    FileUploaded,
    JobFinished,
    JobStarted,
    LcmBusy,
    MetaConfigurationApplied,
    NodeDone,
    NodeEvent,
    NodeFailed,
    NodeSkipped,
    Pushing,
    RebootFinished,
    RebootStarted,
    ResourceProgress,
    Uploading,
    Waiting,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class NodeState(Enum):
    """Where a node stands. The value is the word shown to people."""

    PENDING = "waiting"
    CONNECTING = "connecting"
    COMPARING = "comparing"
    PUSHING = "pushing"
    APPLYING = "applying"
    REBOOTING = "rebooting"
    VERIFYING = "verifying"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


_S = NodeState

#: Ways out that exist in every state but the last three.
_ENDS: Mapping[type[NodeEvent], NodeState] = {NodeFailed: _S.FAILED, NodeSkipped: _S.SKIPPED}


def _exits(state: NodeState, ways: Mapping[type[NodeEvent], NodeState]) -> dict[type[NodeEvent], NodeState]:
    """Add the ends, and what a broken connection brings, which leaves the state as it is."""
    unseen = {ConnectionLost: state, Connecting: state, Connected: state}
    return {**unseen, **_ENDS, **ways}


TRANSITIONS: Mapping[NodeState, Mapping[type[NodeEvent], NodeState]] = MappingProxyType(
    {
        _S.PENDING: {Waiting: _S.PENDING, Connecting: _S.CONNECTING, **_ENDS},
        _S.CONNECTING: {Connecting: _S.CONNECTING, Connected: _S.COMPARING, **_ENDS},
        _S.COMPARING: _exits(
            _S.COMPARING,
            {
                LcmBusy: _S.COMPARING,
                MetaConfigurationApplied: _S.COMPARING,
                Compared: _S.COMPARING,
                CheckFinished: _S.COMPARING,
                Uploading: _S.COMPARING,
                FileUploaded: _S.COMPARING,
                ResourceProgress: _S.COMPARING,
                RebootFinished: _S.COMPARING,
                Pushing: _S.PUSHING,
                JobStarted: _S.APPLYING,
                RebootStarted: _S.REBOOTING,
                Converged: _S.VERIFYING,
            },
        ),
        _S.PUSHING: _exits(_S.PUSHING, {LcmBusy: _S.PUSHING, JobStarted: _S.APPLYING}),
        _S.APPLYING: _exits(_S.APPLYING, {ResourceProgress: _S.APPLYING, JobFinished: _S.COMPARING}),
        _S.REBOOTING: _exits(_S.REBOOTING, {RebootFinished: _S.COMPARING}),
        _S.VERIFYING: _exits(_S.VERIFYING, {CheckFinished: _S.VERIFYING, NodeDone: _S.DONE}),
        _S.DONE: {},
        _S.FAILED: {},
        _S.SKIPPED: {},
    }
)

#: States without a way out.
FINAL = frozenset(state for state, ways in TRANSITIONS.items() if not ways)


class UnlistedTransition(RuntimeError):
    """The engine made an event that cannot happen in this state."""

    def __init__(self, state: NodeState, event: type) -> None:
        self.state = state
        self.event = event
        super().__init__(f"This is a bug in provisioner: {event.__name__} cannot happen in {state.name}.")


class Machine:
    """The state of one node. Feed it every event of that node, in order."""

    def __init__(self) -> None:
        self.state = NodeState.PENDING

    def advance(self, event: NodeEvent) -> NodeState:
        """Move by one event and return the new state.

        Raises:
            UnlistedTransition: the table has no such way; the state stays as it was.
        """
        following = TRANSITIONS[self.state].get(type(event))
        if following is None:
            raise UnlistedTransition(self.state, type(event))
        self.state = following
        return following

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to this node any more."""
        return self.state in FINAL
