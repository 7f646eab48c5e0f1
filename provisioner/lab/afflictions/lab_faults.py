"""The faults of a lab: those its inventory has from the start, those that are asked for, and scenarios."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from provisioner import documents
from provisioner.diagnostics import Diagnostics, SourceFile
from provisioner.lab.afflictions.node_faults import NodeFaults
from provisioner.lab.afflictions.playing import Playing
from provisioner.lab.control import LabError
from provisioner.lab.faults.base import Planned
from provisioner.lab.faults.reader import from_plain
from provisioner.lab.faults.scenario import drawn, read_scenario
from provisioner.lab.server.fleet import Fleet
from provisioner.lab.simulated_node import SimulatedNode

_FOLDER = "scenarios"


class LabFaults:
    """What is wrong in a lab. Only nodes that ever had a fault have anything here."""

    def __init__(self, nodes: Iterable[SimulatedNode], fleet: Fleet, folder: Path, time_scale: float) -> None:
        self._nodes = {node.name: node for node in nodes}
        self._fleet = fleet
        self._folder = folder / _FOLDER
        self._time_scale = time_scale
        self._afflicted: dict[str, NodeFaults] = {}
        self._playing: list[Playing] = []

    def start(self) -> None:
        """Inject the faults of the inventory; the nodes answer already.

        Raises:
            LabError: a node cannot have one of them.
        """
        for node in self._nodes.values():
            for planned in node.spec.faults:
                self.inject(node.name, planned)

    def stop(self) -> None:
        """End all faults, so that nothing of them stays in the state of a node."""
        for playing in self._playing:
            playing.stop()
        for name in list(self._afflicted):
            self.clear(name, None)

    def inject(self, name: str, planned: Planned) -> None:
        """Give a node a fault.

        Raises:
            LabError: it cannot have it.
        """
        found = self._afflicted.get(name)
        if found is None:
            found = NodeFaults(self._nodes[name], self._fleet, self._time_scale)
        found.inject(planned)
        self._afflicted[name] = found

    def clear(self, name: str, kind: str | None) -> int:
        """End the faults of a node, or those of a kind; return how many there were."""
        found = self._afflicted.get(name)
        if found is None:
            return 0
        count = found.clear(kind)
        self._drop_if_well(name)
        return count

    def of(self, name: str) -> list[str]:
        """Describe the faults of a node, waiting ones too."""
        return [str(active) for active in self._afflicted.get(name, ())]

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a request of the command line; its node is known.

        Raises:
            LabError: the node cannot have the fault.
            InputError: it is no fault, or no scenario.
        """
        match request:
            case {"op": "fault", "node": str(node), "fault": dict(fault)}:
                self.inject(node, from_plain(fault))
                return {"faults": self.of(node)}
            case {"op": "clear", "node": str(node), "kind": kind}:
                return {"cleared": self.clear(node, None if kind is None else str(kind))}
            case {"op": "scenario", "scenario": str(text)}:
                return {"path": str(self._play(text))}
        raise LabError(f"the lab does not know the request {request!r}")

    def _play(self, text: str) -> Path:
        source = SourceFile("scenario", text)
        tree, problems = documents.parse(text, source)
        scenario = None if tree is None else read_scenario(tree, problems)
        problems.raise_errors()
        assert scenario is not None
        found = Diagnostics()
        named = drawn(scenario, list(self._nodes), found)
        found.raise_errors()
        playing = Playing(named, self._folder, self.inject, self.clear)
        self._playing = [other for other in self._playing if not other.is_over] + [playing]
        playing.start(self._nodes, self._time_scale or 1.0)
        return playing.path

    def _drop_if_well(self, name: str) -> None:
        if not list(self._afflicted[name]):
            del self._afflicted[name]
