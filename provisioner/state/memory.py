"""A state store that forgets: for tests and for runs that shall leave nothing behind. No I/O."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from provisioner.errors import LockHeld, StateError
from provisioner.events import NodeDone
from provisioner.state.base import APPLY, RunRecord, after, newest_unfinished

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from provisioner.addresses import NodeName
    from provisioner.events import Recorded


class MemoryStateStore:
    """Keeps the journal in this process."""

    def __init__(self) -> None:
        self._events: dict[str, list[Recorded]] = {}
        self._runs: dict[str, RunRecord] = {}
        self._roles: dict[str, dict[NodeName, tuple[str, ...]]] = {}
        self._holder: tuple[str, str] | None = None

    def append(self, recorded: Recorded) -> None:
        """Add an event."""
        events = self._events.setdefault(recorded.run_id, [])
        if events and events[-1].sequence >= recorded.sequence:
            raise StateError(f"the journal has an event {recorded.sequence} of run {recorded.run_id} already")
        events.append(recorded)
        run = after(self._runs.get(recorded.run_id), recorded)
        if run:
            self._runs[recorded.run_id] = run
        if run and run.operation == APPLY and isinstance(recorded.event, NodeDone):
            self._roles.setdefault(run.inventory, {})[recorded.event.node] = recorded.event.roles

    def events(self, run_id: str) -> tuple[Recorded, ...]:
        """Return the events of a run in order."""
        return tuple(self._events.get(run_id, ()))

    def runs(self) -> tuple[RunRecord, ...]:
        """Return all runs, the newest first."""
        return tuple(reversed(self._runs.values()))

    def unfinished(self, inventory: str) -> str | None:
        """Return the id of the run to resume."""
        return newest_unfinished(self.runs(), inventory)

    def roles(self, inventory: str) -> Mapping[NodeName, tuple[str, ...]]:
        """Return the roles each node had when it was last done."""
        return dict(self._roles.get(inventory, {}))

    @contextmanager
    def lock(self, holder: str, since: str) -> Iterator[None]:
        """Hold the right to write."""
        if self._holder:
            raise LockHeld(*self._holder)
        self._holder = (holder, since)
        try:
            yield
        finally:
            self._holder = None

    def close(self) -> None:
        """Do nothing: there is nothing to write."""
