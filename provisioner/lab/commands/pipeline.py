"""Running a pipeline on a simulated node: statements, commands joined by ``|``, preferences, errors.

A node runs command objects. Script text goes to ``lab.foreign``, which knows the scripts of some clients and reads
constant commands; on an endpoint without a language it is refused. Nothing here parses PowerShell.
"""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from provisioner.lab.commands import registry
from provisioner.lab.commands.base import CommandSpec, Invocation, Output, PassedOn
from provisioner.lab.commands.binding import Bound, bind
from provisioner.lab.commands.merging import merge
from provisioner.lab.machine.area import command_not_found
from provisioner.lab.values import CommandCall, ErrorRecord, InformationRecord, TerminatingError

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode
    from provisioner.lab.spec import EndpointSpec

_SCRIPTS = "provisioner.lab.foreign.execution"
_CONTEXT = "provisioner.lab.foreign.registry"
_SILENT = frozenset({"SilentlyContinue", "Ignore"})


async def run_pipeline(  # noqa: PLR0913, PLR0917 - what a session knows: node, account, endpoint; and one pipeline
    node: SimulatedNode,
    calls: Sequence[CommandCall],
    input: AsyncIterator[Any],
    output: Output,
    user: str,
    endpoint: str = "",
) -> None:
    """Run ``calls``: those up to one that ends a statement are joined by ``|``; only the first takes ``input``.

    ``endpoint`` names the session configuration; the empty name is the default one, where every command is seen.

    Raises:
        TerminatingError: what ended the pipeline; the statements after it do not run.
        ScriptExit: a script ended by ``exit``.
    """
    session = _Session(node, user, node.endpoints.get(endpoint.casefold()))
    source = input
    for statement in _statements(calls):
        # PowerShell looks all commands of a statement up before it runs any of them.
        stages = [session.prepare(call) for call in statement]
        for stage, call in zip(stages[:-1], statement, strict=False):
            collected = _Collected(output)
            await session.run(stage, source, merge(collected, call.merged))
            source = _replay(collected.values)
        await session.run(stages[-1], source, merge(output, statement[-1].merged))
        source = _replay([])


def _scripts() -> Any:
    """Import what runs scripts and programs: they run commands, so they stand above them."""
    return import_module(_SCRIPTS)


@dataclass(frozen=True, slots=True)
class _Script:
    """A script or a program that the node can run, and its arguments."""

    script: Any
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Session:
    """Where pipelines run: a node, an account, and the endpoint if it is not the default one."""

    node: SimulatedNode
    user: str
    endpoint: EndpointSpec | None

    def prepare(self, call: CommandCall) -> tuple[CommandSpec, Bound] | _Script:
        """Look a command up and bind its parameters, or find out how a script is run.

        Raises:
            TerminatingError: There is no such command, or the script cannot be run.
        """
        if call.is_script:
            if self.endpoint is not None:
                raise TerminatingError(_scripts_not_allowed(call.name))
            return _Script(_scripts().prepare(call.name), tuple(value for _, value in call.parameters))
        if self.endpoint is None and registry.find(self.node, call.name) is None:
            program = _scripts().prepare_program(call)
            if program is not None:
                return _Script(program, ())
        spec = _find(self.node, call, self.endpoint)
        return spec, bind(call, spec)

    async def run(
        self, stage: tuple[CommandSpec, Bound] | _Script, source: AsyncIterator[Any], output: Output
    ) -> None:
        """Run one stage of a pipeline."""
        if isinstance(stage, _Script):
            context = import_module(_CONTEXT).ScriptContext
            await stage.script.run(context(self.node, self.user, source, output, stage.arguments))
            return
        spec, parameters = stage
        visible = None if self.endpoint is None else self.endpoint.visible
        await _run_command(
            spec, parameters, Invocation(self.node, parameters.parameters, source, output, self.user, visible)
        )


def list_commands(node: SimulatedNode, patterns: Sequence[str], endpoint: str = "") -> list[CommandSpec]:
    """List the commands the node has now whose names match one of the wildcard ``patterns``; all when empty."""
    wanted = [pattern.casefold() for pattern in patterns] or ["*"]
    limits = node.endpoints.get(endpoint.casefold())
    return [
        spec
        for spec in registry.available(node, None if limits is None else limits.visible)
        if any(fnmatch.fnmatchcase(spec.name.casefold(), pattern) for pattern in wanted)
    ]


@dataclass(slots=True)
class _Collected(PassedOn):
    """Output of a command that is not the last one: objects are kept, the other streams go out."""

    values: list[Any] = field(default_factory=list)

    def write(self, value: Any) -> None:
        self.values.append(value)


@dataclass(slots=True)
class _Preferred(PassedOn):
    """Output under the preferences of one command (ErrorAction and its kin, Verbose, Debug)."""

    bound: Bound

    def error(self, record: ErrorRecord) -> None:
        if self.bound.error_action == "Stop":
            raise TerminatingError(record, ends_script=True)
        if self.bound.error_action not in _SILENT:
            self.outer.error(record)

    def verbose(self, text: str) -> None:
        if self.bound.is_verbose:
            self.outer.verbose(text)

    def warning(self, text: str) -> None:
        if self.bound.warning_action not in _SILENT:
            self.outer.warning(text)

    def debug(self, text: str) -> None:
        if self.bound.is_debug:
            self.outer.debug(text)

    def information(self, record: InformationRecord) -> None:
        if self.bound.information_action != "Ignore":
            self.outer.information(record)


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


def _find(node: SimulatedNode, call: CommandCall, endpoint: EndpointSpec | None) -> CommandSpec:
    spec = registry.find(node, call.name)
    if spec is None or (endpoint is not None and spec.name.casefold() not in endpoint.visible):
        error = command_not_found(call.name)
        raise TerminatingError(
            ErrorRecord(error.message, error.error_id, error.category, error.exception_type, "", call.name)
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
