"""What a killed run left behind: its journal, folded into what each node needs to know. Pure.

A run is adopted under its own id, so the job ids it may have used are known. Which of them exist is for the node
to say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provisioner.engine.work import PastLegs
from provisioner.events import (
    Compared,
    JobFinished,
    JobStarted,
    NodeEvent,
    Pushing,
    RebootFinished,
    RebootStarted,
    RunStarted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from provisioner.addresses import NodeName
    from provisioner.events import Event, Recorded
    from provisioner.state.base import StateStore


@dataclass(frozen=True, slots=True)
class Adopted:
    """A run to go on with. ``next_sequence`` is the number of its next event."""

    run_id: str
    next_sequence: int
    past: Mapping[NodeName, PastLegs]


def adopt(store: StateStore, inventory: str, digests: Mapping[NodeName, str]) -> Adopted | None:
    """Find the run to go on with: the newest apply of this inventory, if it did not end by itself.

    ``digests`` are the configurations the nodes shall have now. A node whose document is another one than before
    starts with a fresh leg, behind the old ones: job ids never repeat.
    """
    run_id = store.unfinished(inventory)
    if run_id is None:
        return None
    recorded = store.events(run_id)
    past = fold(recorded, digests)
    return Adopted(run_id, recorded[-1].sequence + 1 if recorded else 1, past)


def fold(recorded: Iterable[Recorded], digests: Mapping[NodeName, str]) -> dict[NodeName, PastLegs]:
    """Fold the events of one run into what is known about each node."""
    past: dict[NodeName, PastLegs] = {}
    known: dict[str, str] = {}  # the digest a node has at this point of the journal
    sent: dict[str, str] = {}  # the digest of the last document sent
    for item in recorded:
        event: Event = item.event
        if isinstance(event, RunStarted):
            known.update(event.digests)
        elif isinstance(event, NodeEvent):
            if isinstance(event, Pushing):
                sent[event.node] = known.get(event.node, "")
            past[event.node] = _after(past.get(event.node, PastLegs()), event)
    return {
        name: replace(legs, is_same_document=name not in sent or sent[name] == digests.get(name))
        for name, legs in past.items()
    }


def _after(past: PastLegs, event: NodeEvent) -> PastLegs:
    match event:
        case Compared():
            return replace(past, differing=event.differing)
        case Pushing() | JobStarted():
            return replace(past, legs=max(past.legs, event.leg), is_open=True)
        case JobFinished():
            changed = tuple(dict.fromkeys((*past.changed, *event.changed)))
            return replace(past, is_open=False, changed=changed)
        case RebootStarted():
            return replace(past, reboot_boot_time=event.boot_time)
        case RebootFinished():
            return replace(past, reboot_boot_time="", reboots=past.reboots + 1)
    return past
