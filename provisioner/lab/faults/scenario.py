"""A scenario: faults that come and go by themselves, at a time or when something happens on a node.

Targets may be left to chance. ``drawn`` names them with the seed of the scenario, so that the same scenario on the
same nodes is the same every time.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from provisioner import documents
from provisioner.diagnostics import Diagnostics, SourceRange, did_you_mean
from provisioner.lab import trees
from provisioner.lab.faults.base import Planned
from provisioner.lab.faults.reader import read_fault
from provisioner.lab.faults.registry import KINDS
from provisioner.lab.faults.resources import matches

_SUMMARY: Final = "Wrong scenario"
_DRAW: Final = re.compile(r"(?P<count>[1-9][0-9]*) of (?P<pattern>\S+)")
#: Events of a node's journal that a step may wait for.
EVENTS: Final = (
    "command",
    "lcm-method",
    "meta-configuration",
    "job-started",
    "resource-set",
    "resource-failed",
    "job-ended",
    "job-refused",
    "job-aborted",
    "consistency",
    "shutdown",
    "boot",
)
#: Clears the faults of all kinds.
ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Event:
    """The ``nth`` entry of a kind in the journal of ``node``; of resources only those that ``resource`` means."""

    event: str
    node: str
    nth: int = 1
    resource: str = "*"


@dataclass(frozen=True, slots=True)
class Targets:
    """Nodes by patterns of their names; with ``count`` only so many of them, drawn by lot."""

    patterns: tuple[str, ...]
    count: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What happens when: a fault is injected, or faults are cleared."""

    targets: Targets
    at_s: float = 0.0
    on: Event | None = None
    fault: Planned | None = None
    clear: str = ""
    where: SourceRange | None = field(default=None, compare=False)

    def to_plain(self) -> dict[str, Any]:
        """Give what this would be read from."""
        when: dict[str, Any] = {"at": self.at_s}
        if self.on is not None:
            event = self.on
            when = {"on": {"event": event.event, "node": event.node, "nth": event.nth}}
            if event.resource != "*":
                when["on"]["resource"] = event.resource
        if self.targets.count:
            nodes: Any = {"random": f"{self.targets.count} of {self.targets.patterns[0]}"}
        else:
            nodes = list(self.targets.patterns)
        what = {"fault": self.fault.to_plain()} if self.fault else {"clear": self.clear}
        return {**when, "nodes": nodes, **what}


@dataclass(frozen=True, slots=True)
class Scenario:
    """Steps and the seed that chance begins with."""

    name: str
    steps: tuple[Step, ...]
    seed: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Give what this would be read from."""
        return {
            "scenario": self.name,
            "seed": self.seed,
            "steps": [step.to_plain() for step in self.steps],
        }


def read_scenario(tree: documents.Tree, problems: Diagnostics) -> Scenario | None:
    """Read a scenario; None and problems with their places when there is something wrong with it."""
    found = _SCENARIO(tree, problems)
    return found if isinstance(found, Scenario) and not problems.has_errors else None


def drawn(scenario: Scenario, nodes: Sequence[str], problems: Diagnostics) -> Scenario:
    """Name the targets of all steps; a pattern that means no node is a problem."""
    dice = random.Random(scenario.seed)  # noqa: S311 - chance that can be repeated is the point
    steps = []
    for step in scenario.steps:
        names: list[str] = []
        for pattern in step.targets.patterns:
            found = sorted(name for name in nodes if matches(pattern, name))
            if not found:
                text = f"No node is called '{pattern}'."
                problems.error(_SUMMARY, text, step.where, did_you_mean(pattern, nodes))
            names += [name for name in found if name not in names]
        if step.targets.count > len(names) and names:
            text = f"{step.targets.count} nodes cannot be drawn from {len(names)}."
            problems.error(_SUMMARY, text, step.where)
        elif step.targets.count:
            names = sorted(dice.sample(names, step.targets.count)) if names else []
        if step.on is not None and step.on.node not in nodes:
            text = f"No node is called '{step.on.node}'."
            problems.error(_SUMMARY, text, step.where, did_you_mean(step.on.node, nodes))
        steps.append(replace(step, targets=Targets(tuple(names))))
    return replace(scenario, steps=tuple(steps))


def _targets(tree: documents.Tree, problems: Diagnostics) -> Any:
    if not isinstance(tree, documents.Mapping):
        found = trees.list_of(trees.text, or_one=True)(tree, problems)
        return found if found is trees.BAD else Targets(found)
    read = trees.fields(tree, {"random": trees.text}, problems)
    if "random" not in read:
        problems.error(_SUMMARY, "'random' is missing here.", tree.where, "Write 'random: 3 of hv*'.")
        return trees.BAD
    lot = _DRAW.fullmatch(read["random"])
    if lot is None:
        value = tree.get("random")
        where = value.where if value else tree.where
        text = f"'{read['random']}' says not how many of which nodes."
        problems.error(_SUMMARY, text, where, "Write '3 of hv*'.")
        return trees.BAD
    return Targets((lot["pattern"],), int(lot["count"]))


def _clear(tree: documents.Tree, problems: Diagnostics) -> Any:
    return trees.one_of((ALL, *KINDS))(tree, problems)


_EVENT: Final = trees.record(
    Event,
    {
        "event": trees.one_of(EVENTS),
        "node": trees.text,
        "nth": trees.integer,
        "resource": trees.text,
    },
    ["event", "node"],
)
_STEP: Final = {
    "at": trees.number,
    "on": _EVENT,
    "nodes": _targets,
    "fault": read_fault,
    "clear": _clear,
}


def _step(tree: documents.Tree, problems: Diagnostics) -> Any:
    if not isinstance(tree, documents.Mapping):
        problems.error(_SUMMARY, "A step is a mapping.", tree.where)
        return trees.BAD
    read = trees.fields(tree, _STEP, problems)
    if len(read) != len(tree.entries):
        return trees.BAD
    for one, other in (("at", "on"), ("fault", "clear")):
        if (one in read) == (other in read):
            text = f"A step has either '{one}' or '{other}'."
            problems.error(_SUMMARY, text, tree.where)
            return trees.BAD
    event: Event | None = read.get("on")
    targets = read.get("nodes") or (Targets((event.node,)) if event else None)
    if targets is None:
        problems.error(_SUMMARY, "'nodes' is missing here.", tree.where, "Write 'nodes: hv*'.")
        return trees.BAD
    return Step(
        targets, read.get("at", 0.0), event, read.get("fault"), read.get("clear", ""), where=tree.where
    )


def _made(scenario: str, steps: tuple[Step, ...], seed: int = 0) -> Scenario:
    return Scenario(scenario, steps, seed)


_SCENARIO: Final = trees.record(
    _made,
    {"scenario": trees.text, "seed": trees.integer, "steps": trees.list_of(_step)},
    ["scenario", "steps"],
)
