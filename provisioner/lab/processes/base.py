"""What a simulated program is: what it is started with, where it writes, and its exit code.

A program is one async function in a file of its own, named in ``table.py``. It acts on the node's state and
writes bytes in the code page of its console, as a program does; it knows nothing of what carries them.
"""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

#: The code page of a console nobody has chosen one for, and that of UTF-8.
OEM_CODEPAGE: Final = 437
UTF8_CODEPAGE: Final = 65001


class ProcessOutput(Protocol):
    """Where a program writes. Nothing here blocks."""

    def stdout(self, data: bytes) -> None:
        """Write to standard output."""
        ...

    def stderr(self, data: bytes) -> None:
        """Write to standard error."""
        ...


@dataclass(frozen=True, slots=True)
class ProcessCall:
    r"""One start of a program.

    ``command_line`` is the whole line as cmd.exe (``uses_cmd``) or CreateProcess gets it. ``arguments`` are what
    a program makes of its line: the parts after its own name, quotes taken away as CommandLineToArgvW does; the
    caller of ``run_process`` may leave them empty. ``user`` is the account as Windows shows it
    (``HV01\provisioner``). Names of ``environment`` are those the client gave, besides the system's own.
    """

    command_line: str
    arguments: tuple[str, ...]
    uses_cmd: bool
    stdin: AsyncIterator[bytes]
    environment: dict[str, str] = field(default_factory=dict)
    working_directory: str = ""
    user: str = ""
    codepage: int = OEM_CODEPAGE

    def encode(self, text: str) -> bytes:
        """Write text as a console program does; what the code page lacks becomes a question mark."""
        return text.encode(codec_of(self.codepage), "replace")

    def decode(self, data: bytes) -> str:
        """Read text that came from a console of this code page."""
        return data.decode(codec_of(self.codepage), "replace")


class Program(Protocol):
    """The ``run`` of a program's module."""

    async def __call__(self, node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
        """Run to the end and return the exit code (0 to 4294967295)."""
        ...


class NoSuchProgramError(Exception):
    """CreateProcess finds no such file (ERROR_FILE_NOT_FOUND); cmd.exe says so in its own words instead."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no program {name!r}")


def codec_of(codepage: int) -> str:
    """Return Python's name of a code page; one that Python does not know counts as the OEM one."""
    name = "utf-8" if codepage == UTF8_CODEPAGE else f"cp{codepage}"
    try:
        codecs.lookup(name)
    except LookupError:
        return f"cp{OEM_CODEPAGE}"
    return name


def split_arguments(line: str) -> tuple[str, ...]:
    r"""Split a command line as CommandLineToArgvW does, the program's name first.

    Backslashes count only before a quote; a doubled quote inside quotes is one quote.
    """
    found: list[str] = []
    current, has_word, in_quotes, index = "", False, False, 0
    while index < len(line):
        character = line[index]
        if character == "\\":
            end = index
            while end < len(line) and line[end] == "\\":
                end += 1
            count, index, has_word = end - index, end, True
            if end < len(line) and line[end] == '"':
                current += "\\" * (count // 2)
                if count % 2:
                    current += '"'
                    index += 1
            else:
                current += "\\" * count
            continue
        index += 1
        if character == '"':
            has_word = True
            if in_quotes and line[index : index + 1] == '"':
                current += '"'
                index += 1
            else:
                in_quotes = not in_quotes
        elif character in " \t" and not in_quotes:
            if has_word:
                found.append(current)
            current, has_word = "", False
        else:
            current += character
            has_word = True
    return (*found, current) if has_word else tuple(found)


def variable(environment: Mapping[str, str], name: str) -> str | None:
    """Look an environment variable up without regard to case."""
    wanted = name.casefold()
    return next((value for key, value in environment.items() if key.casefold() == wanted), None)
