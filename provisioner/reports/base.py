"""The contract of every reporter, and how events reach all of them.

A reporter shows what happened; it never decides anything, and the engine does not know how anything looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.events import Recorded


class Reporter(Protocol):
    """Shows a run. Called from one thread; events of a run come in order."""

    def handle(self, recorded: Recorded) -> None:
        """Show one event."""
        ...

    def close(self) -> None:
        """Show what is left to show at the end. Called once, also after an interruption."""
        ...


class FanOut:
    """Passes events to several reporters. One that breaks is dropped, and the run goes on.

    ``dropped`` holds a sentence for each of those, to be shown when the others have ended; a reporter whose
    reader went away needs none.
    """

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self.dropped: list[str] = []
        self._reporters = list(reporters)

    def handle(self, recorded: Recorded) -> None:
        """Pass an event on."""
        for reporter in tuple(self._reporters):
            try:
                reporter.handle(recorded)
            except Exception as error:  # noqa: BLE001 - whatever it is, a report must not stop a run
                self._drop(reporter, error)

    def close(self) -> None:
        """Close all reporters."""
        for reporter in tuple(self._reporters):
            try:
                reporter.close()
            except Exception as error:  # noqa: BLE001 - as above
                self._drop(reporter, error)
        self._reporters.clear()

    def _drop(self, reporter: Reporter, error: Exception) -> None:
        self._reporters.remove(reporter)
        if isinstance(error, BrokenPipeError):
            return  # its reader has gone, as with `| head`, and wants to hear no more
        name = type(reporter).__name__
        self.dropped.append(f"warning: {name} stopped reporting: {type(error).__name__}: {error}")
