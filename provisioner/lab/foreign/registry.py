"""The scripts that well-known clients are known to send, and what a node does for each.

A script is recognised by its structure: the constant part must be the client's own, token by token, and what
varies is taken out as data. A script that deviates is unknown. Nothing here interprets PowerShell: each known
script has a function that does to the node what the script would.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.commands.base import Output
from provisioner.lab.foreign.skeleton import Skeleton
from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import ErrorRecord, TerminatingError

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

_HERE: Final = "provisioner.lab.foreign"
#: Modules with known scripts; each lists its own in ``SCRIPTS``.
_CLIENTS: Final = ("ansible", "packer", "pypsrp")


@dataclass(frozen=True, slots=True)
class ScriptContext:
    r"""What a script runs in. ``user`` is the account as Windows shows it (``HV01\provisioner``).

    ``arguments`` are those given to the script beside its text; ``input`` what is piped into it.
    """

    node: SimulatedNode
    user: str
    input: AsyncIterator[Any]
    output: Output
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownScript:
    """One script of a client. ``versions`` are those it was seen in; ``does`` says what it is for, for people.

    ``function`` is ``"module:name"`` of an ``async def run(data, context) -> None``, which raises ScriptExit where
    the script exits and TerminatingError where it throws.
    """

    client: str
    versions: str
    name: str
    does: str
    skeleton: Skeleton
    function: str


@dataclass(frozen=True, slots=True)
class Known:
    """A recognised script with its data."""

    script: KnownScript
    data: Mapping[str, str] = field(default_factory=dict)

    async def run(self, context: ScriptContext) -> bool:
        """Do to the node what the script does; true, as its last statement succeeds.

        Raises:
            ScriptExit: The script ended by ``exit``.
            TerminatingError: The script threw.
        """
        module, _, name = self.script.function.partition(":")
        try:
            await getattr(import_module(f"{_HERE}.{module}"), name)(self.data, context)
        except MachineError as error:
            raise TerminatingError(
                ErrorRecord(error.message, error.error_id, error.category, error.exception_type)
            ) from error
        finally:
            context.node.after_command(f"{self.script.client}/{self.script.name}", self.data)
        return True


@cache
def known_scripts() -> tuple[KnownScript, ...]:
    """List all known scripts."""
    return tuple(script for client in _CLIENTS for script in import_module(f"{_HERE}.{client}").SCRIPTS)


def recognise(script: str) -> Known | None:
    """Find the known script this text is; None when no client is known to send it."""
    for known in known_scripts():
        data = known.skeleton.match(script)
        if data is not None:
            return Known(known, data)
    return None
