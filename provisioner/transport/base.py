"""The contract of every transport, and the values that cross it.

An operation on a node is a pipeline of commands with named, typed parameters. PowerShell text is never built
here, so every operation also works against a NoLanguage (JEA) endpoint. Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, TypeAlias

#: A value as it crosses the wire: None, bool, int, float, str, bytes, datetime, a sequence or a string-keyed
#: mapping of values, or a ``Record``.
Value: TypeAlias = Any


class Capability(Enum):
    """What a transport can do. Declared by the class, never discovered by an exception."""

    COMMANDS = "commands"  #: pipelines of commands
    STREAMS = "streams"  #: separate warning, verbose and error streams
    FILES = "files"  #: files of any size, where the other end lets scripts run


@dataclass(frozen=True, slots=True)
class Record:
    """An object that came back: its .NET type names (most derived first) and its properties.

    Property names keep their case; look-ups through ``get`` and ``record[...]`` ignore it, as PowerShell does.
    """

    type_names: tuple[str, ...]
    properties: Mapping[str, Value]
    text: str = ""

    def get(self, name: str, default: Value = None) -> Value:
        """Return property ``name`` without regard to case."""
        wanted = name.casefold()
        for key, value in self.properties.items():
            if key.casefold() == wanted:
                return value
        return default

    def __getitem__(self, name: str) -> Value:
        missing = object()
        value = self.get(name, missing)
        if value is missing:
            raise KeyError(name)
        return value


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a pipeline. A parameter whose value is ``SWITCH`` is passed without a value.

    ``arguments`` have no names: a program takes nothing else.
    """

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    arguments: tuple[Value, ...] = ()


#: Marks a switch parameter.
SWITCH: Value = object()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands connected by ``|``. ``input`` is fed to the first one."""

    commands: tuple[Command, ...]
    input: Sequence[Value] = ()

    @classmethod
    def of(cls, name: str, /, **parameters: Value) -> Pipeline:
        """Build a pipeline of one command."""
        return cls((Command(name, parameters),))

    def __str__(self) -> str:
        return " | ".join(command.name for command in self.commands)


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """A PowerShell error record. ``category`` is the name of the ErrorCategory (``ObjectNotFound``)."""

    message: str
    error_id: str
    category: str
    target: str = ""
    exception_type: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a pipeline gave back, streams apart and in order.

    ``terminated`` is the terminating error, if one ended the pipeline; ``errors`` are the non-terminating ones.
    """

    output: tuple[Value, ...] = ()
    errors: tuple[ErrorRecord, ...] = ()
    warnings: tuple[str, ...] = ()
    verbose: tuple[str, ...] = ()
    terminated: ErrorRecord | None = None


#: Is told how many bytes of a file are on the way.
Sent: TypeAlias = Callable[[int], None]


class Transport(Protocol):
    """One way of talking to one node. Not safe for concurrent calls; one user at a time.

    All methods raise ``provisioner.errors.TransportError`` subclasses and nothing else on failure.
    After a ``ConnectError`` or ``TransportTimeout`` the transport may be opened again.
    Cancelling ``run`` stops the remote pipeline as far as the node can be reached, and leaves no thread behind.
    """

    capabilities: frozenset[Capability]

    async def open(self) -> None:
        """Connect, authenticate and open a runspace pool. Opening an open transport does nothing."""
        ...

    async def close(self) -> None:
        """End the conversation and remove what it left on the node. Never raises; safe to call twice."""
        ...

    async def run(self, pipeline: Pipeline, *, timeout_s: float = 60.0) -> Result:
        """Run one pipeline to its end and return everything it gave back."""
        ...

    async def copy_file(
        self, source: Path, destination: str, *, timeout_s: float, sent: Sent | None = None
    ) -> Result:
        """Copy a file to a full path on the node, in the place of what is there; its folder has to be there.

        The file is read in parts. ``sent`` is told now and then about how many of its bytes are on the way, from
        the event loop. The result says what the node refused: ``terminated``, as of a pipeline.

        Raises:
            OSError: ``source`` cannot be read. Nothing was sent then.
        """
        ...
