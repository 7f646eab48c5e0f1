"""The contract of every way to carry out a run. A protocol and its result; no I/O here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provisioner.addresses import NodeName
    from provisioner.engine.work import ApplyOptions, NodeWork, PastLegs, Record, Verifier


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How a run ended: nodes by result, in the order of the work.

    ``changed`` counts nodes, ``reboots`` counts reboots.
    """

    done: tuple[NodeName, ...]
    failed: tuple[NodeName, ...]
    skipped: tuple[NodeName, ...]
    changed: int
    reboots: int
    interrupted: bool = False

    @property
    def is_good(self) -> bool:
        """Whether every node is done."""
        return not (self.failed or self.skipped or self.interrupted)


class Executor(Protocol):
    """Carries out a run: every node by the same flow, each for itself."""

    async def run(  # noqa: PLR0913 - the whole run in one call
        self,
        run_id: str,
        works: Sequence[NodeWork],
        options: ApplyOptions,
        *,
        verifier: Verifier | None,
        record: Record,
        past: Mapping[NodeName, PastLegs] | None = None,
        preflight: Verifier | None = None,
    ) -> RunSummary:
        """Apply ``works`` and record every event up to RunFinished; the caller recorded RunStarted.

        A node that comes after others is begun when these are done, which ``verifier`` has to agree to, and is
        skipped when one of them is not. ``preflight`` is asked of the nodes that have one, before the first thing
        is changed on each; where it does not pass, nothing is changed.

        One failing node never stops the others. Cancelling the call ends the run in good order: sessions are
        closed, what is unfinished is recorded as skipped, and the summary says ``interrupted``.

        Raises:
            StateError: the journal cannot be written.
        """
        ...
