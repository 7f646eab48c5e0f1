"""powershell.exe as a program of the classic shell: its options, its output as text, its exit code.

What it runs is decided as in a runspace (``execution``). Objects become the text a console shows; errors go to
standard error, as CLIXML where the command was given encoded, as Windows PowerShell 5.1 does, else as text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.commands.console.formatting import lines_of, text_of
from provisioner.lab.foreign.execution import prepare
from provisioner.lab.foreign.files import absolute
from provisioner.lab.foreign.registry import ScriptContext
from provisioner.lab.processes.base import ProcessCall, ProcessOutput
from provisioner.lab.values import ErrorRecord, InformationRecord, ScriptExit, TerminatingError
from provisioner.wire import clixml

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

#: Options with whether a value follows; a unique beginning is enough, as for powershell.exe.
_OPTIONS: Final = {
    "command": True,
    "configurationname": True,
    "encodedcommand": True,
    "executionpolicy": True,
    "file": True,
    "help": False,
    "inputformat": True,
    "mta": False,
    "noexit": False,
    "nologo": False,
    "noninteractive": False,
    "noprofile": False,
    "outputformat": True,
    "psconsolefile": True,
    "sta": False,
    "version": True,
    "windowstyle": True,
}
_SHORT: Final = {
    "c": "command",
    "e": "encodedcommand",
    "ec": "encodedcommand",
    "ep": "executionpolicy",
    "ex": "executionpolicy",
    "f": "file",
    "h": "help",
    "?": "help",
    "of": "outputformat",
    "if": "inputformat",
    "v": "version",
}
_POLICIES: Final = frozenset(
    {"allsigned", "bypass", "default", "remotesigned", "restricted", "undefined", "unrestricted"}
)
#: Options that say nothing to a simulated program, so they are refused.
_REFUSED: Final = frozenset({"help", "psconsolefile", "configurationname", "version", "noexit"})
#: How deep this program is inside itself: a script may start it again, but not for ever.
_DEPTH: Final[ContextVar[int]] = ContextVar("powershell_depth", default=0)
_MOST_DEPTH: Final = 8
_BAD_OPTION: Final = 0xFFFD0000
_CLIXML: Final = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
)


@dataclass(slots=True)
class _Start:
    """What the command line asks for. ``script`` is None when it comes from standard input."""

    script: str | None = None
    file: str = ""
    arguments: tuple[str, ...] = ()
    writes_clixml: bool = False
    is_text: bool = False
    problem: str = ""


async def run(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Run powershell.exe to its end; the exit code is 0, 1 or what the script chose."""
    start = _read_options(call.arguments)
    depth = _DEPTH.get()
    if depth >= _MOST_DEPTH:
        start = _Start(problem="The simulated powershell.exe does not start itself any deeper.")
    console = _Console(call, output, start.writes_clixml and not start.is_text)
    if start.file:
        path = absolute(start.file, call.user)
        if not node.machine.files.is_file(path) or not path.casefold().endswith(".ps1"):
            start.problem = (
                f"The argument '{start.file}' to the -File parameter does not exist. Provide the path to an "
                "existing '.ps1' file as an argument to the -File parameter."
            )
        else:
            start.script = node.machine.files.read(path).decode("utf-8-sig", "replace")
    if start.problem:
        output.stderr(call.encode(f"{start.problem}\r\n"))
        return _BAD_OPTION
    source = _lines(call)
    if start.script is None:
        start.script = "\n".join([line async for line in source])
    token = _DEPTH.set(depth + 1)
    try:
        return await _run_script(node, call, start, console, source)
    finally:
        _DEPTH.reset(token)


async def _run_script(
    node: SimulatedNode, call: ProcessCall, start: _Start, console: _Console, source: AsyncIterator[str]
) -> int:
    console.script = start.script or ""
    context = ScriptContext(node, call.user, source, console, start.arguments)
    try:
        code = 0 if await prepare(console.script).run(context) else 1
    except ScriptExit as end:
        code = end.code
    except TerminatingError as problem:
        console.error(problem.record)
        code = 1
    console.finish()
    return code


def _read_options(arguments: Sequence[str]) -> _Start:
    """Read the command line up to what begins the command, or to its first problem."""
    start = _Start()
    rest = list(arguments)
    while rest and not start.problem:
        word = rest.pop(0)
        name = _option(word)
        if name is None:  # the first word that is no option begins the command
            start.script = " ".join([word, *rest])
            return start
        if name in _REFUSED:
            start.problem = f"The simulated powershell.exe has no option {word}."
        elif not _OPTIONS[name]:
            continue
        elif not rest:
            start.problem = f"Cannot process the command because the value of {word} is missing."
        elif name == "command":
            start.script = None if rest == ["-"] else " ".join(rest)
            return start
        elif name == "file":
            start.file, start.arguments = rest[0], tuple(rest[1:])
            return start
        else:
            _take_value(start, name, rest.pop(0))
    return start


def _take_value(start: _Start, name: str, value: str) -> None:
    if name == "encodedcommand":
        start.writes_clixml = True
        start.script = _decoded(value)
        if start.script is None:
            start.problem = (
                "Cannot process the command because the value specified with -EncodedCommand is not properly "
                "encoded. The value must be Base64 encoded."
            )
    elif name == "executionpolicy" and value.casefold() not in _POLICIES:
        start.problem = f"Cannot process the command because '{value}' is no execution policy."
    elif name == "outputformat":
        start.is_text = value.casefold() == "text"


def _option(word: str) -> str | None:
    """Find the option a word is; None when it is none, or not one alone."""
    if not word.startswith(("-", "/")):
        return None
    folded = word[1:].casefold()
    if folded in _SHORT:
        return _SHORT[folded]
    found = [name for name in _OPTIONS if folded and name.startswith(folded)]
    return found[0] if len(found) == 1 else None


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode("utf-16-le")
    except (binascii.Error, ValueError):
        return None


async def _lines(call: ProcessCall) -> AsyncIterator[str]:
    """Yield standard input line by line."""
    kept = b""
    async for data in call.stdin:
        *whole, kept = (kept + data).split(b"\n")
        for line in whole:
            yield call.decode(line.removesuffix(b"\r"))
    if kept:
        yield call.decode(kept.removesuffix(b"\r"))


@dataclass(slots=True)
class _Console:
    """Where a script of this process writes."""

    call: ProcessCall
    to: ProcessOutput
    writes_clixml: bool
    script: str = ""
    values: list[Any] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)

    def write(self, value: Any) -> None:
        if isinstance(value, str) and not self.values:
            self.to.stdout(self.call.encode(f"{value}\r\n"))
            return
        self.values.append(value)

    def error(self, record: ErrorRecord) -> None:
        self._say("Error", _error_lines(record, self.script))

    def verbose(self, text: str) -> None:
        self._say("verbose", [f"VERBOSE: {text}"], to_stdout=not self.writes_clixml)

    def warning(self, text: str) -> None:
        self._say("warning", [f"WARNING: {text}"], to_stdout=not self.writes_clixml)

    def debug(self, text: str) -> None:
        self._say("debug", [f"DEBUG: {text}"], to_stdout=not self.writes_clixml)

    def information(self, record: InformationRecord) -> None:
        """Nothing: the preference of a console is to show none."""

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Nothing: a console that is redirected shows none."""

    def _say(self, stream: str, lines: Sequence[str], *, to_stdout: bool = False) -> None:
        if self.writes_clixml:
            self.errors += [(stream, line) for line in lines]
            return
        send = self.to.stdout if to_stdout else self.to.stderr
        send(self.call.encode("".join(f"{line}\r\n" for line in lines)))

    def finish(self) -> None:
        """Write what was kept: objects are laid out together, CLIXML is one document."""
        lines = lines_of(self.values)
        if lines:
            self.to.stdout(self.call.encode("".join(f"{line}\r\n" for line in lines)))
        if self.errors:
            parts = "".join(_clixml_line(stream, line) for stream, line in self.errors)
            self.to.stderr(self.call.encode(f"{_CLIXML}{parts}</Objs>"))


def _clixml_line(stream: str, line: str) -> str:
    return clixml.write(f"{line}\r\n").decode().replace("<S>", f'<S S="{stream}">', 1)


def _error_lines(record: ErrorRecord, script: str) -> list[str]:
    """Lay an error out as the console of Windows PowerShell 5.1 does."""
    if record.error_id.startswith("NativeCommandError"):
        return [record.message]
    target = text_of(record.target)
    if len(target) > 40:  # noqa: PLR2004 - Windows shortens it so
        target = f"{target[:19]}...{target[-18:]}"
    about = f"({target}:{_kind(record.target)})" if target else "(:)"
    first = script.strip().splitlines()[0] if script.strip() else ""
    heading = f"{record.activity} : {record.message}" if record.activity else record.message
    return [
        *heading.splitlines(),
        "At line:1 char:1",
        f"+ {first[:70]}",
        "+ " + "~" * min(len(first), 70),
        f"    + CategoryInfo          : {record.category}: {about} [{record.activity}], {record.reason}",
        f"    + FullyQualifiedErrorId : {record.error_id}",
        " ",
    ]


def _kind(target: Any) -> str:
    return {str: "String", int: "Int32", bool: "Boolean"}.get(type(target), "Object")
