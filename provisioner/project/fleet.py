"""Compile any number of nodes into a folder: what is there already is left, the rest is shared between processes.

Memory stays flat. A node exists while it is compiled, in one process; its documents are written at once to the
staging folder, and what stays is a summary of a few lines.

All problems of all nodes come at once, and then nothing is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from provisioner.addresses import NodeName
from provisioner.diagnostics import Diagnostic, Diagnostics
from provisioner.errors import UsageError
from provisioner.project import workers
from provisioner.project.compiler import NodeCompiler, needs
from provisioner.project.entries import Entry
from provisioner.project.memory import FleetMemory
from provisioner.project.model import CompileRequest, NodeSummary, Validated, Written
from provisioner.project.staging import Staging

#: Below this many nodes a process of its own costs more than it saves.
WORTH_SHARING = 48
_LARGEST_PORTION = 32


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker sends back of one node. ``entry`` is what the cache may keep, ``resources`` counts them."""

    node: NodeName
    problems: tuple[Diagnostic, ...]
    summary: NodeSummary | None = None
    entry: Entry | None = None
    resources: int = 0


def write(
    compiler: NodeCompiler,
    selected: tuple[NodeName, ...],
    request: CompileRequest,
    cache_folder: Path,
    problems: Diagnostics,
) -> Written:
    """Compile the selected nodes into the output folder.

    Raises:
        InputError: anything the user wrote is wrong; all problems at once, nothing was replaced.
        UsageError: the folder cannot be written.
        WorkerLost: a process was lost; nothing was replaced.
    """
    memory = FleetMemory(compiler, request, cache_folder)
    found = memory.recall(selected)
    for name in found.unchanged:
        problems.extend(found.warnings.get(name, ()))
    nodes = dict(found.unchanged)
    kept: list[Outcome] = []
    try:
        with Staging(request.output) as staging:

            def one(name: NodeName) -> Outcome:
                return _written(compiler, name, request.formats, staging, found.because[name])

            done = len(nodes)
            request.progress(done, done + len(found.because))
            for outcome in _all(one, tuple(found.because), request.jobs):
                done += 1
                request.progress(done, len(nodes) + len(found.because))
                problems.extend(outcome.problems)
                if outcome.summary is not None:
                    kept.append(outcome)
            problems.raise_errors()
            staging.publish(file.name for each in kept if each.summary for file in each.summary.files)
    except OSError as error:
        raise UsageError(
            f"the documents cannot be written to {request.output}: {error.strerror}; nothing was replaced there.",
            "Choose another folder with --output.",
        ) from error
    nodes |= {each.node: each.summary for each in kept if each.summary}
    memory.remember({each.node: (each.summary, each.entry) for each in kept if each.summary}, found)
    return Written(compiler.inventory, {name: nodes[name] for name in selected if name in nodes}, problems)


def validate(
    compiler: NodeCompiler, selected: tuple[NodeName, ...], jobs: int, problems: Diagnostics
) -> Validated:
    """Compile the selected nodes for the sake of what is wrong with them; secrets are not resolved.

    Raises:
        InputError: anything the user wrote is wrong; all problems at once.
    """

    def one(name: NodeName) -> Outcome:
        compiled, found = compiler.compile(name, sealed=False)
        return Outcome(name, tuple(found), resources=len(compiled.configuration.resources) if compiled else 0)

    resources = 0
    for outcome in _all(one, selected, jobs):
        problems.extend(outcome.problems)
        resources += outcome.resources
    problems.raise_errors()
    return Validated(len(selected), resources, problems)


def _all(one: Callable[[NodeName], Outcome], names: tuple[NodeName, ...], jobs: int) -> Iterator[Outcome]:
    """Yield the outcome of every node, in any order."""
    count = min(jobs or workers.processors(), len(names) // (WORTH_SHARING // 2))
    if count < 2 or not workers.can_fork():  # noqa: PLR2004 - two are the first that share
        yield from map(one, names)
        return

    def portion(some: tuple[NodeName, ...]) -> list[Outcome]:
        return [one(name) for name in some]

    size = max(1, min(_LARGEST_PORTION, len(names) // (count * 4)))
    portions = [names[start : start + size] for start in range(0, len(names), size)]
    for outcomes in workers.share(portion, portions, count):
        yield from outcomes


def _written(
    compiler: NodeCompiler,
    name: NodeName,
    formats: tuple[str, ...],
    staging: Staging,
    because: tuple[str, ...],
) -> Outcome:
    """Compile one node and write its documents where they wait."""
    compiled, found = compiler.compile(name, formats)
    problems = tuple(found)
    if compiled is None:
        return Outcome(name, problems)
    configuration = compiled.configuration
    summary = NodeSummary(
        node=name,
        configuration=configuration.name,
        resources=len(configuration.resources),
        expects_reboot=needs(configuration),
        files=tuple(
            staging.write(artifact, is_private=compiled.holds_passwords)
            for artifact in compiled.documents.values()
        ),
        because=because,
    )
    return Outcome(name, problems, summary, Entry.of(summary, compiled, problems, compiler))
