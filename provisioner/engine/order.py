"""Which node has to wait for which: a node begins when those before it are done, and is skipped when one is not.

Done means in desired state and through its checks. Nodes that are not in the run are not waited for: whoever
limits a run answers for what he leaves out. A resumed run holds all of its nodes again, so what an earlier
process had finished is looked at once more, which changes nothing, and then counts.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from provisioner.events import NodeSkipped, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.addresses import NodeName
    from provisioner.engine.work import NodeWork, Record
    from provisioner.roles.model import After


@dataclass(frozen=True, slots=True)
class Ending:
    """How a node ended. ``cause`` is the sentence that says why it did not end well; empty when it is done.

    A node that was skipped because of another one passes on the cause of that one: the first link of the chain is
    what somebody has to mend.
    """

    name: NodeName
    cause: str = ""


class Order:
    """The endings of the nodes of one run, and the wait for them. Belongs to one event loop."""

    def __init__(self, works: Sequence[NodeWork]) -> None:
        """Know who waits for whom.

        Raises:
            graphlib.CycleError: they wait for each other in a circle, which the compiler should have refused.
        """
        names = {work.name for work in works}
        self._after = {
            work.name: tuple(before for before in work.after if before.node in names) for work in works
        }
        TopologicalSorter(
            {name: [before.node for before in after] for name, after in self._after.items()}
        ).prepare()
        self._endings: dict[NodeName, asyncio.Future[Ending]] = {}

    def ended(self, ending: Ending) -> None:
        """Let those that wait for a node know how it ended."""
        future = self._ending(ending.name)
        if not future.done():
            future.set_result(ending)

    async def is_free(self, name: NodeName, record: Record) -> bool:
        """Wait until all before a node are done.

        Returns False as soon as one of them has ended without being done; the node is recorded as skipped then.
        """
        told = ""
        while True:
            if bad := self._bad(name):
                record(NodeSkipped(name, f"waits for '{bad[0].node}' ({bad[0].reason}), but {bad[1]}"))
                self.ended(Ending(name, bad[1]))
                return False
            pending = [before for before in self._after[name] if not self._ending(before.node).done()]
            if not pending:
                return True
            reason = pending[0].reason
            if reason != told:
                told = reason
                named = dict.fromkeys(before.node for before in pending if before.reason == reason)
                record(Waiting(name, tuple(named), reason))
            endings = {self._ending(before.node) for before in pending}
            await asyncio.wait(endings, return_when=asyncio.FIRST_COMPLETED)

    def _bad(self, name: NodeName) -> tuple[After, str] | None:
        """Return the first before ``name`` that ended without being done, and the cause."""
        for before in self._after[name]:
            future = self._ending(before.node)
            if future.done() and (cause := future.result().cause):
                return before, cause
        return None

    def _ending(self, name: NodeName) -> asyncio.Future[Ending]:
        if name not in self._endings:
            self._endings[name] = asyncio.get_running_loop().create_future()
        return self._endings[name]
