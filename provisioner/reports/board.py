"""Where every node of a run stands, folded from its events. Pure: what to show, not how.

Times are those of the events; the reader of the board passes in what time it is now.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from provisioner.events import (
    VERIFY,
    CheckFinished,
    JobFinished,
    NodeDone,
    NodeEvent,
    NodeFailed,
    NodeSkipped,
    RebootFinished,
    RunFinished,
    RunStarted,
    Waiting,
)
from provisioner.reports.wording import clean, count, duration, step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.events import Problem, Recorded
    from provisioner.roles.model import Leftover


class Standing(Enum):
    """How a node stands; the value is the word of the summary, the order that of its counts."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    RUNNING = "running"
    WAITING = "waiting"


@dataclass(slots=True)
class Line:
    """One node. ``began`` and ``ended`` are None before and after; ``step`` is what it does now.

    ``is_only_checked`` tells that the run changes nothing, so that nobody wants to read how much.
    """

    name: str
    standing: Standing = Standing.WAITING
    step: str = ""
    began: datetime | None = None
    ended: datetime | None = None
    changed: int = 0
    reboots: int = 0
    checks: int = 0
    skipped_checks: int = 0
    leaves: tuple[Leftover, ...] = ()
    failure: NodeFailed | None = None
    is_only_checked: bool = False

    def elapsed_s(self, now: datetime) -> float:
        """Return how long the node has been, or was, at work."""
        return ((self.ended or now) - self.began).total_seconds() if self.began else 0.0

    def cells(self, now: datetime) -> tuple[str, ...]:
        """Return the summary of an ended node, one text per column."""
        remark = ""
        if self.failure:
            remark = clean(self.failure.kind)
        elif self.standing is Standing.SKIPPED:
            remark = self.step
        done = () if self.is_only_checked else (f"{self.changed} changed", count(self.reboots, "reboot"))
        return (
            self.name,
            self.standing.value,
            *done,
            count(self.checks, "check"),
            f"{self.skipped_checks} skipped" if self.skipped_checks else "",
            duration(self.elapsed_s(now)),
            remark,
        )


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason of failure and the nodes it struck, so that it is told once."""

    nodes: tuple[str, ...]
    kind: str
    problems: tuple[Problem, ...]
    last_lcm_state: str


@dataclass(slots=True)
class Board:
    """All nodes of a run in the order of the inventory."""

    started: RunStarted | None = None
    finished: RunFinished | None = None
    began: datetime | None = None
    lines: dict[str, Line] = field(default_factory=dict)

    def take(self, recorded: Recorded) -> None:
        """Fold in one event."""
        time = datetime.fromisoformat(recorded.time)
        match recorded.event:
            case RunStarted() as event:
                self.started = event
                self.began = time
                for name in event.nodes:
                    line = Line(clean(name), is_only_checked=event.operation == VERIFY)
                    self.lines.setdefault(name, line)
            case RunFinished() as event:
                self.finished = event
            case NodeEvent() as event:
                self._move(self.lines.setdefault(event.node, Line(clean(event.node))), event, time)

    def standing(self, standing: Standing) -> list[Line]:
        """Return the nodes that stand so."""
        return [line for line in self.lines.values() if line.standing is standing]

    def counts(self) -> str:
        """Return how many nodes stand how, without those that are none."""
        numbers = ((len(self.standing(standing)), standing.value) for standing in Standing)
        return " · ".join(f"{number} {word}" for number, word in numbers if number) or "no nodes"

    def causes(self) -> list[Cause]:
        """Return why nodes failed, equal causes together."""
        found: dict[tuple[object, ...], list[Line]] = {}
        for line in self.lines.values():
            if line.failure:
                failure = line.failure
                found.setdefault((failure.kind, failure.problems, failure.last_lcm_state), []).append(line)
        return [_cause(lines) for lines in found.values()]

    def leftovers(self) -> dict[tuple[Leftover, ...], list[str]]:
        """Return what roles that were undone left behind, with the nodes it is left on, equal ones together."""
        found: dict[tuple[Leftover, ...], list[str]] = {}
        for line in self.lines.values():
            if line.leaves:
                found.setdefault(line.leaves, []).append(line.name)
        return found

    def _move(self, line: Line, event: NodeEvent, time: datetime) -> None:
        if line.standing is Standing.WAITING and not isinstance(event, Waiting):
            line.standing = Standing.RUNNING
            line.began = time
        line.step = step(event) or line.step
        match event:
            case JobFinished():
                # The node's end has the true number, but an interrupted node has no end.
                line.changed += len(event.changed)
            case RebootFinished():
                line.reboots += 1
            case CheckFinished():
                line.checks += event.outcome == "passed" and event.stage == VERIFY
                line.skipped_checks += event.outcome == "skipped" and event.stage == VERIFY
            case NodeDone():
                line.standing, line.ended = Standing.DONE, time
                line.changed, line.reboots = event.changed, event.reboots
                line.checks = max(line.checks, event.checks)
                line.leaves = event.leaves
            case NodeFailed():
                line.standing, line.ended, line.failure = Standing.FAILED, time, event
                line.changed, line.reboots = event.changed, event.reboots
            case NodeSkipped():
                line.standing, line.ended = Standing.SKIPPED, time
                line.step = clean(event.because)


def _cause(lines: Iterable[Line]) -> Cause:
    lines = list(lines)
    failure = lines[0].failure
    assert failure is not None  # only failed lines are grouped
    return Cause(tuple(line.name for line in lines), failure.kind, failure.problems, failure.last_lcm_state)
