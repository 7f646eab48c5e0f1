"""Which node has to wait for which: a node begins when those before it are done, and is skipped when one is not.

Done means in desired state and through its checks. Nodes that are not in the run are not waited for: whoever
limits a run answers for what he leaves out. A resumed run holds all of its nodes again, so what an earlier
process had finished is looked at once more, which changes nothing, and then counts.
"""

from __future__ import annotations

import asyncio
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from provisioner.events import NodeSkipped, Waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.addresses import NodeName
    from provisioner.engine.work import NodeWork, Record


class Order:
    """How the nodes of one run ended, and the wait for them. Belongs to one event loop."""

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
        # By node that has ended, why it is not done; empty for one that is.
        self._causes: dict[NodeName, str] = {}
        self._woken: dict[NodeName, list[asyncio.Event]] = {name: [] for name in names}

    def ended(self, name: NodeName, cause: str = "") -> None:
        """Let those that wait for a node know that it ended.

        ``cause`` is a sentence that says why it is not done. Who is skipped because of another one passes on the
        cause of that one: the first link of the chain is what somebody has to mend.
        """
        self._causes.setdefault(name, cause)
        for woken in self._woken[name]:
            woken.set()

    async def is_free(self, name: NodeName, record: Record) -> bool:
        """Wait until all before a node are done.

        Returns False as soon as one of them has ended without being done; the node is recorded as skipped then.
        """
        woken = asyncio.Event()
        for before in self._after[name]:
            self._woken[before.node].append(woken)
        told = ""
        while True:
            woken.clear()
            for before in self._after[name]:
                if cause := self._causes.get(before.node):
                    record(NodeSkipped(name, f"waits for '{before.node}' ({before.reason}), but {cause}"))
                    self.ended(name, cause)
                    return False
            pending = [before for before in self._after[name] if before.node not in self._causes]
            if not pending:
                return True
            if (reason := pending[0].reason) != told:
                told = reason
                named = dict.fromkeys(before.node for before in pending if before.reason == reason)
                record(Waiting(name, tuple(named), reason))
            await woken.wait()
