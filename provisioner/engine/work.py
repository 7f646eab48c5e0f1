"""What the engine is given: the work for each node, and how to go about it. Values only."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from provisioner.addresses import NodeName
from provisioner.events import CheckFinished, Event
from provisioner.node.base import NodeApi
from provisioner.roles.model import After, Leftover, Upload

#: Takes each event as it happens.
Record = Callable[[Event], None]
#: Asked before each reboot: (node, why). False means no.
AllowReboot = Callable[[NodeName, str], Awaitable[bool]]
#: Checks a batch of nodes over their open sessions and reports each check, from any thread.
Verifier = Callable[[Mapping[NodeName, NodeApi], Callable[[CheckFinished], None]], Awaitable[None]]


class Clock(Protocol):
    """Time as the engine sees it, so that tests need not wait."""

    def now(self) -> float:
        """Return seconds that only grow."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class LoopClock:
    """The clock of the running event loop."""

    def now(self) -> float:
        """Return seconds that only grow."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for one node, in seconds.

    ``lcm_timeout_s`` is the wait for an LCM that is busy with something we did not start.
    """

    connect_timeout_s: float = 10.0
    reconnect_timeout_s: float = 240.0
    reboot_timeout_s: float = 900.0
    job_timeout_s: float = 7200.0
    lcm_timeout_s: float = 900.0


@dataclass(frozen=True, slots=True)
class PollPolicy:
    """How often to ask, in seconds: short first, then longer by ``factor`` up to ``longest_s``.

    ``job_appears_s`` is how long a job that was accepted may take to show up in the LCM, and
    ``restart_takes_s`` how long a restart that a killed run ordered may take to begin, before we order another.
    """

    first_s: float = 0.1
    factor: float = 1.6
    longest_s: float = 2.0
    job_appears_s: float = 10.0
    restart_takes_s: float = 10.0

    def delays(self) -> Iterator[float]:
        """Yield the waits between two questions, without end."""
        delay = self.first_s
        while True:
            yield delay
            delay = min(delay * self.factor, self.longest_s)


@dataclass(frozen=True, slots=True)
class NodeWork:
    """Everything one node shall become.

    ``meta_settings`` are the wanted LCM settings, compared with what the node has; ``meta_document`` sets them.
    ``resources`` are the ids ``[Type]Name`` of the document in its order and spelling; ``positions`` maps them,
    casefolded, to "file:line:column". ``connect`` makes a session that is not open yet.

    ``after`` are nodes that have to be done before this one is begun, each with the reason; those that are not in
    the run are not waited for. Circles are the compiler's to refuse. ``roles`` are those the inventory gives the
    node, and ``leaves`` is what those that are undone leave on it. ``has_preflight`` says whether there are checks
    to ask before anything is changed.

    ``taken_adapters`` are, by resource, the network adapters that switches and teams take away from the host.
    ``management_adapter`` is the one the inventory names, if it does. ``address`` is what the node is reached by.
    """

    name: NodeName
    document: bytes = field(repr=False)
    digest: str
    meta_document: bytes = field(repr=False)
    meta_settings: Mapping[str, Any]
    connect: Callable[[], NodeApi]
    resources: tuple[str, ...] = ()
    positions: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    taken_adapters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    management_adapter: str = ""
    address: str = ""
    after: tuple[After, ...] = ()
    roles: tuple[str, ...] = ()
    leaves: tuple[Leftover, ...] = ()
    has_preflight: bool = False
    uploads: tuple[Upload, ...] = ()


async def _refuse(_node: NodeName, _because: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to go about a run. ``parallel`` is the number of nodes at work at once, 0 for all.

    ``max_legs`` bounds the jobs of one node in one run: a resource that asks for a reboot each time would go on
    for ever.
    """

    parallel: int = 10
    allow_reboot: AllowReboot = _refuse
    reboot_running_vms: bool = False
    poll: PollPolicy = PollPolicy()
    max_legs: int = 10
    clock: Clock = field(default_factory=LoopClock)


@dataclass(frozen=True, slots=True)
class PastLegs:
    """What the journal of a killed run knows about one node; all zero for a fresh one.

    ``legs`` is the highest leg a document was, or may have been, sent for; ``is_open`` tells that its end is not
    recorded. ``reboot_boot_time`` is the boot (ISO 8601) that a recorded but unfinished reboot was to end.
    ``changed`` are the resources changed so far.
    """

    legs: int = 0
    is_open: bool = False
    is_same_document: bool = True
    differing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reboots: int = 0
    reboot_boot_time: str = ""


#: Namespace of our job ids; any constant would do, this one must never change.
_JOBS = uuid.UUID("7b4a3a0e-5d0b-5b53-9d55-5e2f5e3f7f10")


def job_id(run_id: str, node: NodeName, leg: int) -> str:
    """Return the LCM job id of one leg: a GUID in upper case with braces, the same at every call.

    Chosen before the push, so that a job can be found again after a cut, a reboot or a killed controller.

    Source: LCM class facts, 1.6.
    """
    name = "\n".join((run_id, node, str(leg)))
    return "{" + str(uuid.uuid5(_JOBS, name)).upper() + "}"
