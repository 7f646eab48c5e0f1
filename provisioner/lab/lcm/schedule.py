"""When an LCM looks at its node by itself: one timer, and only where a document and the settings ask for it.

The time is the node's: a lab that makes waits shorter makes these shorter too, and a jump of the clock brings a
run forward. A timer is one entry in the event loop, no task, so that thousands of idle nodes cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from provisioner.lab.lcm.host import Cancel, LcmHost
from provisioner.lab.lcm.store import Store

#: Modes in which an LCM does something after a document was applied, folded. ApplyOnly does not.
_RETURNING = frozenset({"applyandmonitor", "applyandautocorrect", "monitoronly"})


class Schedule:
    """The consistency timer of one LCM. ``run`` is called when a run is due; it must not wait.

    It runs from ``start`` to ``stop``: what ends late, after the node went down, sets no timer again.
    """

    __slots__ = ("_cancel", "_due", "_host", "_interval", "_is_on", "_run")

    def __init__(self, host: LcmHost, run: Callable[[], None]) -> None:
        self._host = host
        self._run = run
        self._cancel: Cancel | None = None
        self._interval = timedelta(0)
        self._due: datetime | None = None
        self._is_on = False

    def start(self, store: Store) -> None:
        """Begin to keep time."""
        self._is_on = True
        self.update(store)

    def update(self, store: Store) -> None:
        """Bring the timer into line with what is stored; one that runs already keeps its time."""
        if not self._is_on:
            return
        wanted = interval(store)
        if wanted == self._interval and (self._cancel is not None or not wanted):
            return
        self._forget()
        self._interval = wanted
        if wanted:
            self._due = self._host.now() + wanted
            self._arm()

    def clock_moved(self) -> None:
        """Take note that the node's clock jumped: a run may be due now, or much later."""
        if self._cancel is not None:
            self._cancel()
            self._arm()

    def stop(self) -> None:
        """Stop keeping time."""
        self._is_on = False
        self._forget()

    def _forget(self) -> None:
        if self._cancel is not None:
            self._cancel()
        self._cancel = self._due = None
        self._interval = timedelta(0)

    def _arm(self) -> None:
        assert self._due is not None
        left = (self._due - self._host.now()).total_seconds()
        self._cancel = self._host.after(max(0.0, left), self._fire)

    def _fire(self) -> None:
        self._forget()
        self._run()


def interval(store: Store) -> timedelta:
    """Give the time between two runs; zero when nothing asks for one.

    RefreshFrequencyMins says how often a pull server is asked and has no part in it.
    """
    mode = str(store.settings["ConfigurationMode"]).casefold()
    if mode not in _RETURNING or not store.has_document:
        return timedelta(0)
    return timedelta(minutes=int(store.settings["ConfigurationModeFrequencyMins"]))
