"""cmd.exe: runs command lines and batch files, with the part of its own commands that scripts of clients use.

What it has in Windows and not here (IF, FOR, GOTO and others) is refused in words that name the lab.
"""

from __future__ import annotations

import contextlib
import ntpath
import re
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from provisioner.lab.machine.area import MachineError
from provisioner.lab.processes import cmd_commands as commands
from provisioner.lab.processes.base import ProcessCall, ProcessOutput, split_arguments, variable
from provisioner.lab.processes.command_line import (
    Group,
    Joined,
    Node,
    Redirection,
    Simple,
    SyntaxProblem,
    expand,
    expand_arguments,
    parse,
)
from provisioner.lab.processes.environment import complete
from provisioner.lab.processes.table import find

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

_OPTION: Final = re.compile(r"\s*/(?:[sqdaux](?::\S*)?|[efv]:(?:on|off))(?=[\s/]|$)", re.IGNORECASE)
_RUN: Final = re.compile(r"\s*/[cr]\s*(.*)", re.IGNORECASE | re.DOTALL)
_WORD: Final = re.compile(r'[@\s]*((?:"[^"]*"?|[^\s,;="])+)')
_BATCH: Final = (".bat", ".cmd")
_NOT_FOUND_IN_BATCH: Final = 9009
#: Characters of a line cmd.exe takes.
_LONGEST_LINE: Final = 8191
#: Batch files may call each other, and cmd.exe may start itself, but not for ever.
_MAX_DEPTH: Final = 16
_NESTED: Final[ContextVar[int]] = ContextVar("nested", default=0)


class _Exit(Exception):
    """``exit``: ends cmd.exe, or only the batch file."""

    def __init__(self, *, only_batch: bool) -> None:
        self.only_batch = only_batch
        super().__init__("exit")


class _Collected:
    """Output kept, for a pipe or a file."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data


@dataclass(slots=True)
class _Handles:
    """Where a command reads and writes; also what a program gets as its output."""

    stdin: AsyncIterator[bytes]
    writers: dict[int, commands.Writer]

    def stdout(self, data: bytes) -> None:
        self.writers[1](data)

    def stderr(self, data: bytes) -> None:
        self.writers[2](data)


@dataclass(slots=True)
class _Batch:
    arguments: tuple[str, ...]
    echoes: bool = True


@dataclass(slots=True)
class _Session:
    """One cmd.exe."""

    node: SimulatedNode
    call: ProcessCall
    state: commands.State
    batches: list[_Batch] = field(default_factory=list)

    # -- lines ---------------------------------------------------------------------------------------------

    async def line(self, text: str, handles: _Handles) -> None:
        """Expand, read and run one line."""
        is_batch = bool(self.batches)
        if is_batch:
            text = expand_arguments(text, self.batches[-1].arguments)
        expanded = expand(text, self._look_up, is_batch=is_batch)
        try:
            node = parse(expanded)
        except SyntaxProblem as problem:
            handles.stderr(self._encode(f"{problem.token} was unexpected at this time.\r\n"))
            self.state.errorlevel = 1
            return
        if node is None:
            return
        if is_batch and self.batches[-1].echoes and not expanded.lstrip().startswith("@"):
            handles.stdout(self._encode(f"\r\n{self.state.folder}>{expanded.strip()} \r\n"))
        await self._run(node, handles)

    def _look_up(self, name: str) -> str | None:
        match name.casefold():
            case "errorlevel":
                return str(self.state.errorlevel)
            case "cd":
                return self.state.folder
        return variable(self.state.environment, name)

    async def _run(self, node: Node, handles: _Handles) -> None:
        match node:
            case Joined("|"):
                await self._piped(_chain(node), handles)
            case Joined():
                await self._joined(node, handles)
            case Group(inner, redirections):
                await self._redirected(inner, redirections, handles)
            case Simple(_, redirections) if redirections:
                await self._redirected(replace(node, redirections=()), redirections, handles)
            case Simple(text):
                await self._simple(text, handles)

    async def _joined(self, node: Joined, handles: _Handles) -> None:
        first, *following = _chain(node)
        await self._run(first[1], handles)
        for operator, right in following:
            is_good = self.state.errorlevel == 0
            if operator == "&" or (operator == "&&") is is_good:
                await self._run(right, handles)

    async def _piped(self, stages: list[tuple[str, Node]], handles: _Handles) -> None:
        """Run one after the other; each reads what the one before it wrote."""
        stdin = handles.stdin
        for _, node in stages[:-1]:
            collected = _Collected()
            await self._run(node, _Handles(stdin, {**handles.writers, 1: collected.write}))
            stdin = _replay(bytes(collected.data))
        await self._run(stages[-1][1], replace(handles, stdin=stdin))

    async def _redirected(self, node: Node, redirections: tuple[Redirection, ...], handles: _Handles) -> None:
        """Run with files in the place of handles; a file is written when the command has ended."""
        files: list[tuple[Redirection, _Collected]] = []
        redirected = _Handles(handles.stdin, dict(handles.writers))
        for item in redirections:
            path = self.state.full_path(item.path)
            if item.same_as is not None:
                redirected.writers[item.handle] = redirected.writers.get(item.same_as, _discard)
            elif item.path.casefold() == "nul":
                if item.handle == 0:
                    redirected.stdin = _replay(b"")
                redirected.writers[item.handle] = _discard
            elif item.handle == 0:
                if not self.node.machine.files.is_file(path):
                    self._fail("The system cannot find the file specified.\r\n", handles)
                    return
                redirected.stdin = _replay(self.node.machine.files.read(path))
            else:
                if not self.node.machine.files.is_folder(ntpath.dirname(path)):
                    self._fail("The system cannot find the path specified.\r\n", handles)
                    return
                collected = _Collected()
                files.append((item, collected))
                redirected.writers[item.handle] = collected.write
        try:
            if not isinstance(node, Simple) or node.text:
                await self._run(node, redirected)
        finally:
            for item, collected in files:
                self._write_file(self.state.full_path(item.path), item, bytes(collected.data), handles)

    def _write_file(self, path: str, item: Redirection, data: bytes, handles: _Handles) -> None:
        files = self.node.machine.files
        before = files.read(path) if item.appends and files.is_file(path) else b""
        try:
            files.write(path, before + data)
        except MachineError:
            self._fail("Access is denied.\r\n", handles)

    # -- commands ------------------------------------------------------------------------------------------

    async def _simple(self, text: str, handles: _Handles) -> None:
        text = text.lstrip(" \t@,;=")
        name, rest = commands.split_name(text)
        if name == "exit":
            raise self._exit(rest)
        if name == "call":
            await self._simple(expand(rest, self._look_up, is_batch=bool(self.batches)).strip(), handles)
        elif name == "echo" and self.batches and rest.strip().casefold() in {"on", "off"}:
            self.batches[-1].echoes = rest.strip().casefold() == "on"
        elif name in commands.COMMANDS:
            context = commands.Context(self.node, self.state, handles.stdout, handles.stderr, self._encode)
            self.state.errorlevel = commands.COMMANDS[name](context, rest)
        elif name in commands.NOT_SIMULATED:
            self._fail(f"The lab does not simulate the command '{name}' of cmd.exe.\r\n", handles)
        else:
            await self._program(text, handles)

    def _exit(self, rest: str) -> _Exit:
        words = rest.split()
        only_batch = bool(words) and words[0].casefold() == "/b"
        code = words[1 if only_batch else 0 :][:1]
        if code and re.fullmatch(r"-?[0-9]{1,10}", code[0]):
            self.state.errorlevel = int(code[0]) & 0xFFFFFFFF
        return _Exit(only_batch=only_batch)

    async def _program(self, text: str, handles: _Handles) -> None:
        found = _WORD.match(text)
        word = found[1] if found else text
        name = word.replace('"', "")
        program = find(name)
        if program is not None:
            call = replace(
                self.call,
                command_line=text,
                arguments=split_arguments(text)[1:],
                uses_cmd=False,
                stdin=handles.stdin,
                environment=dict(self.state.environment),
                working_directory=self.state.folder,
                codepage=self.state.codepage,
            )
            self.state.errorlevel = await program(self.node, call, handles)
            return
        path = self._batch_file(name)
        if path is not None:
            await self._batch(path, text, handles)
        elif self.node.machine.files.is_file(self.state.full_path(name)):
            self._fail(f"The lab does not simulate the program {name}.\r\n", handles)
        else:
            message = (
                f"'{word}' is not recognized as an internal or external command,\r\n"
                "operable program or batch file.\r\n"
            )
            handles.stderr(self._encode(message))
            self.state.errorlevel = _NOT_FOUND_IN_BATCH if self.batches else 1

    def _batch_file(self, name: str) -> str | None:
        path = self.state.full_path(name)
        tries = (path,) if path.casefold().endswith(_BATCH) else tuple(path + suffix for suffix in _BATCH)
        return next((item for item in tries if self.node.machine.files.is_file(item)), None)

    async def _batch(self, path: str, text: str, handles: _Handles) -> None:
        if len(self.batches) >= _MAX_DEPTH:
            self._fail("******  B A T C H   R E C U R S I O N  exceeds STACK limits ******\r\n", handles)
            return
        content = self.call.decode(self.node.machine.files.read(path))
        self.batches.append(_Batch(split_arguments(text)))
        try:
            for line in content.splitlines():
                if not line.lstrip().startswith("::"):
                    await self.line(line, handles)
        except _Exit as end:
            if not end.only_batch:
                raise
        finally:
            self.batches.pop()

    def _fail(self, text: str, handles: _Handles) -> None:
        handles.stderr(self._encode(text))
        self.state.errorlevel = 1

    def _encode(self, text: str) -> bytes:
        return replace(self.call, codepage=self.state.codepage).encode(text)


async def run(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Run ``cmd /c line``. Without /c cmd.exe would wait for somebody at a keyboard: refused."""
    line = _line_of(
        call.command_line, lambda name: find(name) is not None or node.machine.files.is_file(name)
    )
    if line is None:
        output.stderr(b"The lab simulates cmd.exe with /c only.\r\n")
        return 1
    return await run_line(node, call, line, output)


async def run_line(node: SimulatedNode, call: ProcessCall, line: str, output: ProcessOutput) -> int:
    """Run a line as ``cmd /c`` does and return the exit code."""
    if _NESTED.get() >= _MAX_DEPTH:
        output.stderr(call.encode("The lab does not start so many of cmd.exe within each other.\r\n"))
        return 1
    call = complete(node, call)
    state = commands.State(dict(call.environment), call.working_directory, call.codepage)
    session = _Session(node, call, state)
    handles = _Handles(call.stdin, {1: output.stdout, 2: output.stderr})
    if len(line) > _LONGEST_LINE:
        output.stderr(call.encode("The command line is too long.\r\n"))
        return 1
    if not node.machine.files.is_folder(state.folder):
        output.stderr(call.encode("The system cannot find the path specified.\r\n"))
        return 1
    outer = _NESTED.set(_NESTED.get() + 1)
    try:
        with contextlib.suppress(_Exit):
            await session.line(line, handles)
    finally:
        _NESTED.reset(outer)
    return state.errorlevel


def _line_of(text: str, is_program: Callable[[str], bool]) -> str | None:
    """Return what follows /c; cmd.exe takes the quotes around it away unless they hold a program's name."""
    found = _WORD.match(text)
    rest = text[found.end() :] if found else ""
    while option := _OPTION.match(rest):
        rest = rest[option.end() :]
    wanted = _RUN.match(rest)
    if wanted is None:
        return None
    line = wanted[1]
    if not line.startswith('"') or line == '"':
        return line
    end = line.rindex('"')
    if line.count('"') == 2 and is_program(line[1:end]):  # noqa: PLR2004 - a pair
        return line
    return line[1:end] + line[end + 1 :] if end else line[1:]


def _chain(node: Joined) -> list[tuple[str, Node]]:
    """Give the commands that operators of one kind join, each with the operator before it."""
    found: list[tuple[str, Node]] = []
    left: Node = node
    while isinstance(left, Joined) and (left.operator == "|") is (node.operator == "|"):
        found.append((left.operator, left.right))
        left = left.left
    return [("", left), *reversed(found)]


def _discard(_data: bytes) -> None:
    """Write to NUL."""


async def _replay(data: bytes) -> AsyncIterator[bytes]:
    if data:
        yield data
