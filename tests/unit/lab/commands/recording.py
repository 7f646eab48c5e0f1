"""A sink for what commands write, and a node to run them on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from provisioner.lab.commands.pipeline import run_pipeline
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import CommandCall, ErrorRecord, InformationRecord
from tests.unit.lab.machines import node_spec


@dataclass
class Recorded:
    """Everything a pipeline wrote, stream by stream."""

    values: list[Any] = field(default_factory=list)
    errors: list[ErrorRecord] = field(default_factory=list)
    verboses: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    debugs: list[str] = field(default_factory=list)
    informations: list[InformationRecord] = field(default_factory=list)

    def write(self, value: Any) -> None:
        self.values.append(value)

    def error(self, record: ErrorRecord) -> None:
        self.errors.append(record)

    def verbose(self, text: str) -> None:
        self.verboses.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def debug(self, text: str) -> None:
        self.debugs.append(text)

    def information(self, record: InformationRecord) -> None:
        self.informations.append(record)

    def progress(self, activity: str, status: str, percent: int) -> None:
        raise AssertionError("no command here shows progress")


def call(name: str, *positional: Any, ends: bool = False, **named: Any) -> CommandCall:
    parameters = (*((None, value) for value in positional), *named.items())
    return CommandCall(name, parameters, ends_statement=ends)


async def feed(values: Sequence[Any]) -> AsyncIterator[Any]:
    for value in values:
        yield value


async def run(node: SimulatedNode, *calls: CommandCall, given: Sequence[Any] = ()) -> Recorded:
    recorded = Recorded()
    await run_pipeline(node, calls, feed(given), recorded, "HV01\\provisioner")
    return recorded


def make_node(folder: Path, **fields: Any) -> SimulatedNode:
    return SimulatedNode(node_spec(name="hv01", **fields), folder, time_scale=0)
