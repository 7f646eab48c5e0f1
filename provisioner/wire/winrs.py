"""The classic shell of WinRM (``winrs``), as the contents of a shell: processes with their three streams.

Sans-I/O: starting, feeding and stopping a process are events for whoever runs programs, who writes back with
``write`` and ``finish``. A process is a command; the shell has no stream of its own.

Source: MS-WSMV 2.2.4.37, 3.1.4.11 to 3.1.4.14; recordings of real servers.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from provisioner.wire import faults
from provisioner.wire import namespaces as ns
from provisioner.wire.contents import CommandStart, Opening

_CHUNK_BYTES: Final = 32768
#: Exit codes of processes that a client ended (STATUS_CONTROL_C_EXIT, and what TerminateProcess gives).
EXIT_CONTROL_C: Final = 0xC000013A
_CODEPAGE_MOST: Final = 65535
#: Input a process has not read; beyond, a Send waits in vain as on Windows for a pipe that is full.
_UNREAD_MOST_BYTES: Final = 4 * 1024 * 1024
_STDIN: Final = "stdin"
_OUTPUTS: Final = ("stdout", "stderr")


@dataclass(frozen=True, slots=True)
class ProcessRequested:
    """Start this now. ``command_line`` goes to cmd.exe (``uses_cmd``) or names a program by its full path."""

    command_id: uuid.UUID
    command_line: str
    uses_cmd: bool


@dataclass(frozen=True, slots=True)
class ProcessInput:
    """Bytes for a process's standard input; ``is_last`` closes it."""

    command_id: uuid.UUID
    data: bytes
    is_last: bool


@dataclass(frozen=True, slots=True)
class ProcessStopped:
    """End this process. It is to be finished with ``EXIT_CONTROL_C`` unless ``is_forgotten``."""

    command_id: uuid.UUID
    is_forgotten: bool


Event: TypeAlias = ProcessRequested | ProcessInput | ProcessStopped


@dataclass(slots=True)
class Text:
    """Output of a process on its way."""

    data: bytes
    ends_response: bool = False
    awaits_answer: bool = False

    @property
    def is_sent(self) -> bool:
        """Whether nothing is left."""
        return not self.data

    def next_size(self) -> int:
        """Bytes of the next piece."""
        return min(len(self.data), _CHUNK_BYTES)

    def take(self, limit: int) -> bytes:
        """Cut the next piece."""
        size = min(limit, _CHUNK_BYTES)
        piece, self.data = self.data[:size], self.data[size:]
        return piece


@dataclass(slots=True)
class _Process:
    exit_code: int | None = None
    has_input: bool = True
    unread_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Programs:
    """What a machine has: whether a full path is that of a program, and whether a path is that of a folder."""

    has_program: Callable[[str], bool] = lambda _path: True
    has_folder: Callable[[str], bool] = lambda _path: True


class CommandShell:
    """The contents of a classic shell.

    ``environment``, ``working_directory`` and
    ``codepage`` (None: the machine's own) are what the client asked for.
    """

    is_classic = True
    is_closed = False

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self.input_streams = _STDIN
        self.output_streams = " ".join(_OUTPUTS)
        self.environment: Mapping[str, str] = {}
        self.working_directory = ""
        self.codepage: int | None = None
        self._processes: dict[uuid.UUID, _Process] = {}
        self._outgoing: list[tuple[uuid.UUID | None, str, Text]] = []

    # -- called by the shell -------------------------------------------------------------------------------

    def create(self, opening: Opening) -> None:
        """Take streams, environment, folder and code page.

        Raises:
            WSManFault: A stream or the code page is none Windows has.
        """
        if not set(opening.input_streams) <= {_STDIN} or not set(opening.output_streams) <= set(_OUTPUTS):
            raise faults.invalid_parameter("The shell has no such stream.")
        self.input_streams = " ".join(opening.input_streams)
        self.output_streams = " ".join(opening.output_streams)
        self.environment = opening.environment
        self.working_directory = opening.working_directory
        codepage = _option(opening.options, "WINRS_CODEPAGE")
        if codepage is not None:
            if not codepage.isascii() or not codepage.isdigit() or int(codepage[:6]) > _CODEPAGE_MOST:
                raise faults.codepage_not_supported(codepage)
            self.codepage = int(codepage)

    def connect(self, data: bytes) -> bytes:
        """Let another client take the shell over; there is nothing to tell it."""
        del data
        return b""

    def command(self, command_id: uuid.UUID, start: CommandStart) -> list[Event]:
        """Begin a process.

        Raises:
            WSManFault: The shell's folder is not there, or nothing starts without cmd.exe by this full path.
        """
        uses_cmd = (_option(start.options, "WINRS_SKIP_CMD_SHELL") or "").casefold() not in {"true", "1"}
        if not uses_cmd and not self._programs.has_program(start.text):
            raise faults.no_such_program()
        if self.working_directory and not self._programs.has_folder(self.working_directory):
            raise faults.folder_is_invalid()
        name = start.text if uses_cmd or " " not in start.text else f'"{start.text}"'
        self._processes[command_id] = _Process()
        return [ProcessRequested(command_id, " ".join((name, *start.arguments)), uses_cmd)]

    def receive(
        self, command_id: uuid.UUID | None, data: bytes, *, stream: str, is_last: bool
    ) -> list[Event]:
        """Take input for a process; what comes after its end, or that of its input, is dropped.

        Raises:
            WSManFault: There is no such stream, or the process does not read what it has.
        """
        if command_id is None:
            raise faults.no_command_id()
        if stream not in self.input_streams.split():
            raise faults.invalid_parameter("The shell has no such stream.")
        process = self._processes[command_id]
        if process.exit_code is not None or not process.has_input:
            return []
        if process.unread_bytes > _UNREAD_MOST_BYTES:
            raise faults.timed_out()
        process.unread_bytes += len(data)
        process.has_input = not is_last
        return [ProcessInput(command_id, data, is_last)]

    def signal(self, command_id: uuid.UUID, code: str) -> list[Event]:
        """End a process as Ctrl+C and Ctrl+Break do; PowerShell's own signals mean nothing here."""
        if code not in {ns.SIGNAL_CTRL_C, ns.SIGNAL_CTRL_BREAK}:
            raise faults.invalid_parameter("There is no such signal.")
        process = self._processes.get(command_id)
        if process is None or process.exit_code is not None:
            return []
        return [ProcessStopped(command_id, is_forgotten=False)]

    def forget(self, command_id: uuid.UUID) -> list[Event]:
        """Remove a process, ending it if it still runs."""
        process = self._processes.pop(command_id, None)
        if process is None or process.exit_code is not None:
            return []
        return [ProcessStopped(command_id, is_forgotten=True)]

    def outgoing(self) -> list[tuple[uuid.UUID | None, str, Text]]:
        """Hand over new output, oldest first."""
        ready, self._outgoing = self._outgoing, []
        return ready

    def exit_code(self, command_id: uuid.UUID) -> int | None:
        """Return the exit code of a process that ended."""
        process = self._processes.get(command_id)
        return process.exit_code if process else 0

    # -- called by whoever runs programs -------------------------------------------------------------------

    def write(self, command_id: uuid.UUID, stream: str, data: bytes) -> None:
        """Send output, unless the process is gone or the client did not open the stream."""
        process = self._processes.get(command_id)
        if data and process and process.exit_code is None and stream in self.output_streams.split():
            self._outgoing.append((command_id, stream, Text(data)))

    def took(self, command_id: uuid.UUID, size: int) -> None:
        """A process read so many bytes of its input."""
        process = self._processes.get(command_id)
        if process is not None:
            process.unread_bytes -= size

    def finish(self, command_id: uuid.UUID, exit_code: int) -> None:
        """A process ended; ``exit_code`` as an unsigned number of 32 bits."""
        process = self._processes.get(command_id)
        if process is not None and process.exit_code is None:
            process.exit_code = exit_code & 0xFFFFFFFF


def _option(options: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in options.items() if key.casefold() == name.casefold()), None)
