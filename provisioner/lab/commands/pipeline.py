"""Running a pipeline on a simulated node: statements, commands joined by ``|``, preferences, errors.

A node runs command objects only. Script text is refused as in a no-language session, so nothing here parses
PowerShell.
"""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provisioner.lab.commands import registry
from provisioner.lab.commands.base import CommandSpec, Invocation, Output
from provisioner.lab.commands.binding import Bound, bind
from provisioner.lab.values import CommandCall, ErrorRecord, TerminatingError

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

_SILENT = frozenset({"SilentlyContinue", "Ignore"})


async def run_pipeline(
    node: SimulatedNode,
    calls: Sequence[CommandCall],
    input: AsyncIterator[Any],
    output: Output,
    user: str,
) -> None:
    """Run ``calls``: those up to one that ends a statement are joined by ``|``; only the first takes ``input``.

    Raises:
        TerminatingError: what ended the pipeline; the statements after it do not run.
    """
    for call in calls:
        if call.is_script:
            raise TerminatingError(_scripts_not_allowed(call.name))
    source = input
    for statement in _statements(calls):
        # PowerShell looks all commands of a statement up before it runs any of them.
        stages = [(_find(node, call), call) for call in statement]
        bound = [(spec, bind(call, spec)) for spec, call in stages]
        for spec, parameters in bound[:-1]:
            collected = _Collected(output)
            await _run_command(
                spec, parameters, Invocation(node, parameters.parameters, source, collected, user)
            )
            source = _replay(collected.values)
        spec, parameters = bound[-1]
        await _run_command(spec, parameters, Invocation(node, parameters.parameters, source, output, user))
        source = _replay([])


def list_commands(node: SimulatedNode, patterns: Sequence[str]) -> list[CommandSpec]:
    """List the commands the node has now whose names match one of the wildcard ``patterns``; all when empty."""
    wanted = [pattern.casefold() for pattern in patterns] or ["*"]
    return [
        spec
        for spec in registry.available(node)
        if any(fnmatch.fnmatchcase(spec.name.casefold(), pattern) for pattern in wanted)
    ]


@dataclass(slots=True)
class _Collected:
    """Output of a command that is not the last one: objects are kept, the other streams go out."""

    outer: Output
    values: list[Any] = field(default_factory=list)

    def write(self, value: Any) -> None:
        self.values.append(value)

    def error(self, record: ErrorRecord) -> None:
        self.outer.error(record)

    def verbose(self, text: str) -> None:
        self.outer.verbose(text)

    def warning(self, text: str) -> None:
        self.outer.warning(text)

    def progress(self, activity: str, status: str, percent: int) -> None:
        self.outer.progress(activity, status, percent)


@dataclass(slots=True)
class _Preferred:
    """Output under the preferences of one command (ErrorAction, WarningAction, Verbose)."""

    outer: Output
    bound: Bound

    def write(self, value: Any) -> None:
        self.outer.write(value)

    def error(self, record: ErrorRecord) -> None:
        if self.bound.error_action == "Stop":
            raise TerminatingError(record)
        if self.bound.error_action not in _SILENT:
            self.outer.error(record)

    def verbose(self, text: str) -> None:
        if self.bound.is_verbose:
            self.outer.verbose(text)

    def warning(self, text: str) -> None:
        if self.bound.warning_action not in _SILENT:
            self.outer.warning(text)

    def progress(self, activity: str, status: str, percent: int) -> None:
        self.outer.progress(activity, status, percent)


async def _run_command(spec: CommandSpec, bound: Bound, invocation: Invocation) -> None:
    function = registry.function(spec)
    invocation.output = _Preferred(invocation.output, bound)
    try:
        await function(invocation)
    finally:
        invocation.node.after_command(spec.name, bound.parameters)


def _statements(calls: Sequence[CommandCall]) -> list[list[CommandCall]]:
    statements: list[list[CommandCall]] = [[]]
    for call in calls:
        statements[-1].append(call)
        if call.ends_statement:
            statements.append([])
    return [statement for statement in statements if statement]


async def _replay(values: Sequence[Any]) -> AsyncIterator[Any]:
    for value in values:
        if isinstance(value, list):  # the pipeline hands arrays on item by item
            for item in value:
                yield item
        else:
            yield value


def _find(node: SimulatedNode, call: CommandCall) -> CommandSpec:
    spec = registry.find(node, call.name)
    if spec is None:
        raise TerminatingError(
            ErrorRecord(
                f"The term '{call.name}' is not recognized as the name of a cmdlet, function, script "
                "file, or operable "
                "program. Check the spelling of the name, or if a path was included, verify that the "
                "path is correct "
                "and try again.",
                "CommandNotFoundException",
                "ObjectNotFound",
                "System.Management.Automation.CommandNotFoundException",
                "",
                call.name,
            )
        )
    return spec


def _scripts_not_allowed(text: str) -> ErrorRecord:
    return ErrorRecord(
        "The syntax is not supported by this runspace. This can occur if the runspace is in "
        "no-language mode.",
        "ScriptsNotAllowed",
        "ParserError",
        "System.Management.Automation.ParseException",
        "",
        text,
    )
