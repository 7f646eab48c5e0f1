"""From an event to a recorded event: number, time, no secrets; first to the journal, then to the reporters.

The only maker of `Recorded`. The clock is given, never read here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from provisioner.events import Recorded, from_plain, to_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from provisioner.events import Event
    from provisioner.reports.base import Reporter
    from provisioner.state.base import StateStore

#: Fields without a foreign word: our own vocabulary, times, ids, and names that stand openly in the inventory. A
#: password that is such a word must not change them, or nothing would find its node, its run or its type again.
_OUR_OWN: Final = {
    "run",
    "time",
    "type",
    "run_id",
    "inventory",
    "operation",
    "nodes",
    "digests",
    "node",
    "for_nodes",
} | {"job_id", "boot_time", "phase", "role", "roles", "outcome", "stage", "kind"}


class Recorder:
    """Call it with each event of one run, from one thread."""

    def __init__(  # noqa: PLR0913 - everything an event passes through
        self,
        run_id: str,
        journal: StateStore,
        reporter: Reporter,
        *,
        now: Callable[[], datetime],
        next_sequence: int = 1,
        redact: Callable[[str], str] | None = None,
    ) -> None:
        """Set up the way of an event.

        Args:
            run_id: The run all events belong to.
            journal: Has every event before any reporter sees it.
            reporter: Usually a ``FanOut``.
            now: The time in UTC.
            next_sequence: Number of the first event; above 1 when a killed run goes on.
            redact: Takes secrets out of a text; applied to every text of every event that others had a hand in.
        """
        self._run_id = run_id
        self._journal = journal
        self._reporter = reporter
        self._now = now
        self._next = next_sequence
        self._redact = redact

    def __call__(self, event: Event) -> None:
        """Record one event.

        Raises:
            StateError: the journal cannot be written. No reporter has seen the event then.
        """
        time = self._now().isoformat(timespec="milliseconds")
        recorded = Recorded(self._run_id, self._next, time, event)
        if self._redact:
            recorded = from_plain(_redacted(to_plain(recorded), self._redact))
        self._journal.append(recorded)
        self._next += 1
        self._reporter.handle(recorded)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    match value:
        case str():
            return redact(value)
        case list() | tuple():
            return [_redacted(item, redact) for item in value]
        case dict():
            return {key: item if key in _OUR_OWN else _redacted(item, redact) for key, item in value.items()}
    return value
