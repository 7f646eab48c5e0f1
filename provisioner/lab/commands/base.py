"""What a simulated command is, and what it may do.

A command is one async function in a file of its own, named in ``registry.py``. It reads bound parameters,
acts on the node's state and writes objects and error records with the names real ones have.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from provisioner.lab.values import ErrorRecord, InformationRecord

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode


class Output(Protocol):
    """Where a command writes. Nothing here blocks."""

    def write(self, value: Any) -> None:
        """Emit an object (see ``lab.values``)."""
        ...

    def error(self, record: ErrorRecord) -> None:
        """Emit a non-terminating error."""
        ...

    def verbose(self, text: str) -> None:
        """Emit a verbose record."""
        ...

    def warning(self, text: str) -> None:
        """Emit a warning."""
        ...

    def debug(self, text: str) -> None:
        """Emit a debug record."""
        ...

    def information(self, record: InformationRecord) -> None:
        """Emit an information record."""
        ...

    def progress(self, activity: str, status: str, percent: int) -> None:
        """Emit a progress record; percent -1 when unknown."""
        ...


@dataclass(slots=True)
class PassedOn:
    """An ``Output`` that passes everything on; what is derived from it keeps, drops or watches some of it."""

    outer: Output

    def write(self, value: Any) -> None:
        """See ``Output``."""
        self.outer.write(value)

    def error(self, record: ErrorRecord) -> None:
        """See ``Output``."""
        self.outer.error(record)

    def verbose(self, text: str) -> None:
        """See ``Output``."""
        self.outer.verbose(text)

    def warning(self, text: str) -> None:
        """See ``Output``."""
        self.outer.warning(text)

    def debug(self, text: str) -> None:
        """See ``Output``."""
        self.outer.debug(text)

    def information(self, record: InformationRecord) -> None:
        """See ``Output``."""
        self.outer.information(record)

    def progress(self, activity: str, status: str, percent: int) -> None:
        """See ``Output``."""
        self.outer.progress(activity, status, percent)


@dataclass(slots=True)
class Invocation:
    r"""One call: parameters bound by their real names (aliases and unique prefixes resolved), pipeline input.

    ``user`` is the authenticated account as Windows shows it (``HV01\provisioner``).
    """

    node: SimulatedNode
    parameters: Mapping[str, Any]
    input: AsyncIterator[Any]
    output: Output
    user: str
    visible: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. ``position`` is None for named-only ones; ``kind`` is string, switch, int, array, any."""

    name: str
    kind: str = "any"
    position: int | None = None
    mandatory: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """One line of a command table.

    ``function`` is ``"module:name"`` of an ``async def run(invocation: Invocation) -> None``, imported at first
    use. ``module`` is the PowerShell module that has the command. ``feature`` is the Windows feature without
    which the command does not exist (``Hyper-V-PowerShell``); empty when it is always there.
    ``type_name`` is the .NET class that error ids end with; empty for functions, whose ids end with their name.
    """

    name: str
    function: str
    module: str
    parameters: tuple[Parameter, ...] = ()
    feature: str = ""
    type_name: str = ""
