"""A scenario being played in a running lab: its steps wait for their time or event, and each leaves a record.

``<lab>/scenarios/<name>.yaml`` is the scenario as it is played, with every target named, to be played again;
``<name>.jsonl`` beside it what was done when.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioner import documents
from provisioner.lab.control import LabError
from provisioner.lab.faults.base import Planned
from provisioner.lab.faults.resources import is_meant
from provisioner.lab.faults.scenario import ALL, Event, Scenario, Step
from provisioner.lab.simulated_node import SimulatedNode


class Playing:
    """One scenario with named targets, from its start to the end of the lab.

    ``inject`` and ``clear`` do it to a node by name; ``stretch`` makes real seconds of simulated ones.
    """

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        inject: Callable[[str, Planned], None],
        clear: Callable[[str, str | None], int],
    ) -> None:
        self._scenario = scenario
        self._inject = inject
        self._clear = clear
        self._begun = asyncio.get_running_loop().time()
        self._timers: list[asyncio.TimerHandle] = []
        self._left = len(scenario.steps)
        folder.mkdir(exist_ok=True)
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", scenario.name) or "scenario"
        self.path = folder / f"{stem}.yaml"
        self.path.write_text(documents.dump(scenario.to_plain()), encoding="utf-8")
        self._record = self.path.with_suffix(".jsonl")
        self._record.write_text("", encoding="utf-8")

    @property
    def is_over(self) -> bool:
        """Whether every step was taken."""
        return not self._left

    def start(self, nodes: Mapping[str, SimulatedNode], stretch: float) -> None:
        """Begin to wait for the steps."""
        loop = asyncio.get_running_loop()
        for number, step in enumerate(self._scenario.steps, start=1):
            if step.on is None:
                self._timers.append(loop.call_later(step.at_s * stretch, self._take, number, step))
                continue
            listeners = nodes[step.on.node].journal.listeners
            watch = _Watch(step.on, functools.partial(self._take, number, step))
            listeners.append(watch.see)

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._left = 0
        for timer in self._timers:
            timer.cancel()

    def _take(self, number: int, step: Step) -> None:
        if not self._left:
            return
        self._left -= 1
        for node in step.targets.patterns:
            problem = ""
            try:
                if step.fault is not None:
                    self._inject(node, step.fault)
                else:
                    self._clear(node, None if step.clear == ALL else step.clear)
            except LabError as error:
                problem = str(error)
            self._note(number, step, node, problem)

    def _note(self, number: int, step: Step, node: str, problem: str) -> None:
        entry: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "after_s": round(asyncio.get_running_loop().time() - self._begun, 3),
            "step": number,
            "node": node,
            "done": f"fault {step.fault}" if step.fault else f"clear {step.clear}",
        }
        if problem:
            entry["problem"] = problem
        with self._record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


class _Watch:
    """Counts the entries of a journal that an event means, and calls at the nth."""

    def __init__(self, event: Event, call: Callable[[], None]) -> None:
        self._event = event
        self._call = call
        self._seen = 0

    def see(self, entry: Mapping[str, Any]) -> None:
        """Look at one entry."""
        event = self._event
        if entry["kind"] != event.event:
            return
        if event.resource != "*" and not is_meant(event.resource, str(entry.get("resource", ""))):
            return
        self._seen += 1
        if self._seen == event.nth:
            self._call()
