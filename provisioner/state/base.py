"""The contract of every state store: the journal of runs, and the lock that keeps it to one writer.

A journal is only added to. What a resumed run needs is on the disk before `StateStore.append` returns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from provisioner.events import (
    CheckFinished,
    Connected,
    Connecting,
    ConnectionLost,
    FileUploaded,
    LcmBusy,
    NodeSkipped,
    RunFinished,
    RunStarted,
    Uploading,
    Waiting,
)
from provisioner.events import ResourceProgress as _ResourceProgress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from provisioner.addresses import NodeName
    from provisioner.events import Event, Recorded

#: The operation whose runs are resumed.
APPLY = "apply"

#: Events that only tell how things look: losing the last few of them in a crash changes no decision.
_LOOKS = (
    CheckFinished,
    Connected,
    Connecting,
    ConnectionLost,
    FileUploaded,
    LcmBusy,
    NodeSkipped,
    Uploading,
    Waiting,
    _ResourceProgress,
)


def must_be_durable(event: Event) -> bool:
    """Whether a resumed run decides by this event, so that it must be on the disk before work goes on."""
    return not isinstance(event, _LOOKS)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as the journal lists it. Times are ISO 8601, UTC; ``finished`` is empty while it has not ended."""

    run_id: str
    inventory: str
    operation: str
    started: str
    finished: str = ""
    interrupted: bool = False

    @property
    def is_finished(self) -> bool:
        """Whether the run ended by itself: neither killed nor interrupted."""
        return bool(self.finished) and not self.interrupted


def after(run: RunRecord | None, recorded: Recorded) -> RunRecord | None:
    """Return what the list of runs says of a run after one more event."""
    event = recorded.event
    match event:
        case RunStarted():
            started = run.started if run else recorded.time
            return RunRecord(event.run_id, event.inventory, event.operation, started)
        case RunFinished() if run:
            return RunRecord(
                run.run_id, run.inventory, run.operation, run.started, recorded.time, event.interrupted
            )
    return run


class StateStore(Protocol):
    """Keeps the journal. One writer at a time, see ``lock``; reading needs no lock."""

    def append(self, recorded: Recorded) -> None:
        """Add an event; events of a run come in the order of their numbers.

        Raises:
            StateError: it could not be written, or its number is taken.
        """
        ...

    def events(self, run_id: str) -> tuple[Recorded, ...]:
        """Return the events of a run in order; empty for an unknown run."""
        ...

    def runs(self) -> tuple[RunRecord, ...]:
        """Return all runs, the newest first."""
        ...

    def unfinished(self, inventory: str) -> str | None:
        """Return the id of the newest apply of an inventory when it was killed or interrupted, else None."""
        ...

    def roles(self, inventory: str) -> Mapping[NodeName, tuple[str, ...]]:
        """Return the roles each node of an inventory had when an apply was last done with it.

        Nodes whose last such apply did not record roles, as older versions do not, are not among them.
        """
        ...

    def lock(self, holder: str, since: str) -> AbstractContextManager[None]:
        """Hold the right to write while inside; the lock of a killed process is free by itself.

        Raises:
            LockHeld: somebody else has it.
        """
        ...

    def close(self) -> None:
        """Write what is left and end. Safe to call twice."""
        ...


def newest_unfinished(runs: tuple[RunRecord, ...], inventory: str) -> str | None:
    """Pick the run to resume; only the newest counts, for what came before it has been overtaken."""
    newest = next((run for run in runs if run.operation == APPLY and run.inventory == inventory), None)
    return newest.run_id if newest and not newest.is_finished else None
