"""Runs the scripts a node can run: those clients are known to send, and those that are only constant commands.

Everything else is refused with the error that a runspace without a language gives, its text naming what the lab
does not run. A lab never pretends to have run a script.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.commands import registry as commands
from provisioner.lab.commands.base import CommandSpec, Invocation, Output, PassedOn
from provisioner.lab.commands.binding import is_switch
from provisioner.lab.commands.pipeline import run_pipeline
from provisioner.lab.foreign.constant_script import ConstantScript, Flag, NotConstantError, Stage, read
from provisioner.lab.foreign.registry import Known, ScriptContext, recognise
from provisioner.lab.processes.base import NoSuchProgramError, ProcessCall
from provisioner.lab.processes.run import run_process
from provisioner.lab.processes.table import find as find_program
from provisioner.lab.values import CommandCall, ErrorRecord, ScriptExit, TerminatingError

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

_LAST_EXIT_CODE: Final = "\nexit $LASTEXITCODE"
_NATIVE: Final = "System.Management.Automation.RemoteException"


@dataclass(frozen=True, slots=True)
class Plain:
    """A script of constant commands. ``exits_with_last``: it ends by ``exit $LASTEXITCODE`` (ansible's psrp)."""

    script: ConstantScript
    exits_with_last: bool = False

    async def run(self, context: ScriptContext) -> bool:
        """Run the statements one after the other; false when the last one had an error (``$?``).

        Raises:
            ScriptExit: The script ended by ``exit``.
            TerminatingError: What ended it as a whole; what ends one statement is written, and the next one runs.
        """
        last_exit_code, is_well = 0, True
        for statement in self.script.statements:
            watched = _Watched(context.output)
            code = None
            try:
                code = await _run_statement(statement, replace(context, output=watched))
            except TerminatingError as problem:
                if problem.ends_script:
                    raise
                watched.error(problem.record)
            is_well = not watched.has_failed and not code
            last_exit_code = last_exit_code if code is None else code
        if self.script.exit_code is not None:
            raise ScriptExit(self.script.exit_code)
        if self.exits_with_last:
            raise ScriptExit(last_exit_code)
        return is_well


@dataclass(frozen=True, slots=True)
class Program:
    """A program named as a command of a pipeline; what is piped into it is not given to it."""

    stage: Stage

    async def run(self, context: ScriptContext) -> bool:
        """Write its lines; false when its exit code is not 0."""
        kept = _Lines(context)
        code = await _run_program(self.stage, context, kept)
        for line in kept.finish():
            context.output.write(line)
        return code == 0


def prepare_program(call: CommandCall) -> Program | None:
    """Find the program a command object names; None when there is none."""
    if find_program(call.name) is None:
        return None
    elements = [value if name is None else Flag(name) for name, value in call.parameters]
    return Program(Stage(call.name, tuple(elements)))


def prepare(text: str) -> Known | Plain:
    """Find out how to run a script.

    Raises:
        TerminatingError: The lab does not run it; nothing has happened.
    """
    known = recognise(text)
    if known is not None:
        return known
    exits_with_last = text.endswith(_LAST_EXIT_CODE)
    try:
        return Plain(read(text.removesuffix(_LAST_EXIT_CODE)), exits_with_last)
    except NotConstantError as problem:
        raise TerminatingError(refusal(text, problem.met), ends_script=True) from None


def refusal(text: str, met: str) -> ErrorRecord:
    """Make the record of a script the lab does not run."""
    return ErrorRecord(
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode. "
        f"(This node is simulated. It runs commands with constant arguments and the scripts of known clients; "
        f"it does not run {met}.)",
        "ScriptsNotAllowed",
        "ParserError",
        "System.Management.Automation.ParseException",
        "",
        text,
    )


async def invoke_expression(invocation: Invocation) -> None:
    """Invoke-Expression: a script given as text."""
    text = str(invocation.parameters["Command"])
    await prepare(text).run(
        ScriptContext(invocation.node, invocation.user, invocation.input, invocation.output)
    )


async def _run_statement(statement: Sequence[Stage], context: ScriptContext) -> int | None:
    """Run one pipeline; the result is the exit code of a program in it."""
    first, *rest = statement
    if first.name and commands.find(context.node, first.name) is not None:
        await _run_commands(statement, _nothing(), context)
        return None
    code: int | None = None
    values: list[Any]
    if not first.name:
        values = [value for element in first.elements for value in _items(element)]
    elif find_program(first.name) is not None:
        kept = _Lines(context)
        code = await _run_program(first, context, kept)
        values = kept.finish()
    else:
        await _run_commands(statement, _nothing(), context)  # says that there is no such command
        return None
    if rest:
        await _run_commands(rest, _replay(values), context)
    else:
        for value in values:
            context.output.write(value)
    return code


async def _run_commands(stages: Sequence[Stage], source: AsyncIterator[Any], context: ScriptContext) -> None:
    calls = [_call_of(stage, context.node) for stage in stages]
    await run_pipeline(context.node, calls, source, context.output, context.user)


def _call_of(stage: Stage, node: SimulatedNode) -> CommandCall:
    """Give a command its parameters: whether a value belongs to the flag before it depends on the command."""
    spec = commands.find(node, stage.name)
    parameters: list[tuple[str | None, Any]] = []
    elements = list(stage.elements)
    while elements:
        element = elements.pop(0)
        if not isinstance(element, Flag):
            parameters.append((None, element))
        elif element.has_value:
            parameters.append((element.name, element.value))
        elif spec is None or is_switch(element.name, spec):
            parameters.append((element.name, True))
        elif elements and not isinstance(elements[0], Flag):
            parameters.append((element.name, elements.pop(0)))
        else:
            raise TerminatingError(_missing_argument(element.name, spec))
    return CommandCall(stage.name, tuple(parameters))


def _missing_argument(name: str, spec: CommandSpec) -> ErrorRecord:
    return ErrorRecord(
        f"Missing an argument for parameter '{name}'. Specify a parameter of type 'System.Object' and try again.",
        f"MissingArgument,{spec.type_name or spec.name}",
        "InvalidArgument",
        "System.Management.Automation.ParameterBindingException",
        spec.name,
    )


@dataclass(slots=True)
class _Watched(PassedOn):
    """Output of a statement, which remembers whether it had an error."""

    has_failed: bool = False

    def error(self, record: ErrorRecord) -> None:
        self.has_failed = True
        self.outer.error(record)


# -- programs ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Lines:
    """Output of a program: lines of its standard output, an error record for each line of the other."""

    context: ScriptContext
    out: bytearray = field(default_factory=bytearray)
    err: bytearray = field(default_factory=bytearray)

    def stdout(self, data: bytes) -> None:
        self.out += data

    def stderr(self, data: bytes) -> None:
        self.err += data

    def finish(self) -> list[Any]:
        errors: Output = self.context.output
        for number, line in enumerate(self.err.decode("cp437").splitlines()):
            name = "NativeCommandErrorMessage" if number else "NativeCommandError"
            errors.error(ErrorRecord(line, name, "NotSpecified", _NATIVE, "", line))
        return self.out.decode("cp437").splitlines()


async def _run_program(stage: Stage, context: ScriptContext, output: _Lines) -> int:
    words = [stage.name]
    for element in stage.elements:
        if isinstance(element, Flag):
            words.append(f"-{element.name}" + (f":{element.value}" if element.has_value else ""))
        else:
            words += [str(item) for item in _items(element)]
    line = " ".join(f'"{word}"' if " " in word or not word else word for word in words)
    call = ProcessCall(line, tuple(words[1:]), uses_cmd=False, stdin=_nothing(), user=context.user)
    try:
        return await run_process(context.node, call, output)
    except NoSuchProgramError as problem:
        raise TerminatingError(
            ErrorRecord(
                f"Program '{problem.name}' failed to run: The system cannot find the file specified.",
                "NativeCommandFailed",
                "ResourceUnavailable",
                "System.Management.Automation.ApplicationFailedException",
            )
        ) from None


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]


async def _nothing() -> AsyncIterator[Any]:
    return
    yield


async def _replay(values: Sequence[Any]) -> AsyncIterator[Any]:
    for value in values:
        yield value
