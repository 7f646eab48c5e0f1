"""Ask once, of all nodes: the first check that needs an answer has it fetched from every node of its role.

Checks run one after the other in a thread; nodes are asked on the event loop, all at once. So a verification
costs one round per distinct question, however many nodes there are, over one open session per node.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING

from provisioner.errors import TransportError
from provisioner.transport.base import Pipeline, Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.addresses import NodeName, RoleName
    from provisioner.verify.targets import Target

_Key = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


class Stopped(BaseException):
    """The verification was cancelled while a check waited for an answer."""


class Batch:
    """The answers of some nodes, gathered as they are asked for.

    ``ask`` is for the thread of the checks, everything else for the event loop.
    """

    def __init__(self, targets: Sequence[Target], loop: asyncio.AbstractEventLoop) -> None:
        self._targets = {target.node: target for target in targets}
        self._loop = loop
        self._answers: dict[tuple[NodeName, _Key], Result | Exception] = {}
        self._unused: set[tuple[NodeName, _Key]] = set()
        self._individual: set[tuple[RoleName, str]] = set()
        self._unreachable: dict[NodeName, TransportError] = {}
        self._round: Future[list[Result | Exception]] | None = None
        self.is_stopped = False

    def ask(self, node: NodeName, role: RoleName, pipeline: Pipeline) -> Result:
        """Return the answer of ``node``, after asking all nodes of ``role`` when it is not known yet.

        Raises:
            TransportError: the node cannot be reached; it is not asked again in this batch.
            Stopped: the verification was cancelled.
        """
        key = _key(pipeline)
        if (node, key) not in self._answers and node not in self._unreachable:
            self._fetch(self._to_ask(node, role, pipeline, key), pipeline, key)
        self._unused.discard((node, key))
        answer = self._answers.get((node, key), self._unreachable.get(node))
        if isinstance(answer, Exception):
            # One error may end many checks; each starts a traceback of its own.
            raise answer.with_traceback(None)
        assert answer is not None, "This is a bug in provisioner: a round left a node without an answer."
        return answer

    def stop(self) -> None:
        """Cancel the round under way and refuse further ones."""
        self.is_stopped = True
        if self._round:
            self._round.cancel()

    def _to_ask(self, node: NodeName, role: RoleName, pipeline: Pipeline, key: _Key) -> list[Target]:
        """Return the nodes to ask along with ``node``.

        Nodes of a role nearly always ask the same. Where the parameters come from a variable that differs from
        node to node, answers pile up that nobody wanted: then each node is asked for itself from there on.
        """
        shape = (role, str(pipeline))
        if any(owner == node and _names(unused) == str(pipeline) for owner, unused in self._unused):
            self._individual.add(shape)
        if shape in self._individual:
            return [self._targets[node]]
        return [
            target
            for target in self._targets.values()
            if any(checks.role == role for checks in target.checks)
            and (target.node, key) not in self._answers
            and target.node not in self._unreachable
        ]

    def _fetch(self, targets: list[Target], pipeline: Pipeline, key: _Key) -> None:
        self._round = asyncio.run_coroutine_threadsafe(_ask_all(targets, pipeline), self._loop)
        if self.is_stopped:
            self._round.cancel()
        try:
            answers = self._round.result()
        except CancelledError:
            raise Stopped from None
        for target, answer in zip(targets, answers, strict=True):
            if isinstance(answer, TransportError):
                self._unreachable[target.node] = answer
            else:
                self._answers[target.node, key] = answer
                self._unused.add((target.node, key))


async def _ask_all(targets: Sequence[Target], pipeline: Pipeline) -> list[Result | Exception]:
    return list(await asyncio.gather(*(_ask_one(target, pipeline) for target in targets)))


async def _ask_one(target: Target, pipeline: Pipeline) -> Result | Exception:
    try:
        return await target.run(pipeline)
    except Exception as error:  # noqa: BLE001 - kept, and raised in the check that wants this node's answer
        return error


def _key(pipeline: Pipeline) -> _Key:
    return tuple(
        (
            command.name,
            tuple(sorted((name, repr(value)) for name, value in command.parameters.items()))
            + tuple(("", repr(value)) for value in command.arguments),
        )
        for command in pipeline.commands
    )


def _names(key: _Key) -> str:
    return " | ".join(name for name, _ in key)
