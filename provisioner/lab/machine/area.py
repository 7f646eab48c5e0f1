"""What all areas of a machine share: the error they raise and the ledger that hears of every change.

An area knows Windows behaviour and nothing about DSC, commands or the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, Generic, TypeVar

_PACKAGE: Final = "provisioner.lab."


class MachineError(Exception):
    """A cmdlet or an API call failed.

    ``error_id`` is the first part of a FullyQualifiedErrorId; whoever runs a command adds its class name.
    ``category`` is the name of the ErrorCategory. ``is_terminating`` tells ``ThrowTerminatingError`` from
    ``WriteError``.
    """

    def __init__(
        self,
        message: str,
        error_id: str,
        category: str,
        exception_type: str = "System.Exception",
        *,
        is_terminating: bool = False,
    ) -> None:
        self.message = message
        self.error_id = error_id
        self.category = category
        self.exception_type = exception_type
        self.is_terminating = is_terminating
        super().__init__(message)


def command_not_found(name: str) -> MachineError:
    """Make the error of a command whose module is not there; it ends the pipeline."""
    return MachineError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable "
        "program. Check the spelling of the name, or if a path was included, verify that the path is correct "
        "and try again.",
        "CommandNotFoundException",
        "ObjectNotFound",
        "System.Management.Automation.CommandNotFoundException",
        is_terminating=True,
    )


class Ledger:
    """Shared by all areas of one machine.

    ``listeners`` are called with the area and a short text after each change. ``failing`` maps the name of a
    cmdlet to the error it gives from now on: injected misbehaviour.
    """

    __slots__ = ("failing", "listeners")

    def __init__(self) -> None:
        self.listeners: list[Callable[[str, str], None]] = []
        self.failing: dict[str, MachineError] = {}

    def changed(self, area: str, what: str) -> None:
        """Tell all listeners of a change that was just made."""
        for listener in self.listeners:
            listener(area, what)

    def attempt(self, cmdlet: str) -> None:
        """Raise the injected error of ``cmdlet``, if there is one."""
        error = self.failing.get(cmdlet)
        if error is not None:
            raise error


Owner = TypeVar("Owner")


class Area(Generic[Owner]):
    """One part of the state of ``owner`` (a machine, or the world of a lab), there from its first use on.

    A kind of area is a class in a module of its own; its constructor makes what a freshly installed Windows has.
    """

    def __init__(self, owner: Owner) -> None:
        self.owner = owner

    def on_boot(self) -> None:
        """Settle what waited for the boot."""

    def to_plain(self) -> Any:
        """Give the state as JSON values."""
        raise TypeError(f"{type(self).__name__} does not say what it keeps")

    def load(self, plain: Any) -> None:
        """Take what ``to_plain`` gave."""
        raise TypeError(f"{type(self).__name__} does not say what it keeps: {plain!r}")


A = TypeVar("A", bound=Area[Any])


class Areas(Generic[Owner]):
    """The areas of one owner. An idle machine has none: each is made, or restored, when somebody asks for it.

    In plain form an area is named by its class, ``machine.network.firewall:Firewall``.
    """

    __slots__ = ("_made", "_owner", "_plain")

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._made: dict[str, Area[Any]] = {}
        self._plain: dict[str, Any] = {}

    def get(self, kind: type[A]) -> A:
        """Give the area of this kind."""
        name = f"{kind.__module__.removeprefix(_PACKAGE)}:{kind.__name__}"
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = kind(self._owner)
            if name in self._plain:
                made.load(self._plain.pop(name))
        assert isinstance(made, kind)
        return made

    def has(self, kind: type[A]) -> bool:
        """Whether the area of this kind was ever used; asking makes none."""
        name = f"{kind.__module__.removeprefix(_PACKAGE)}:{kind.__name__}"
        return name in self._made or name in self._plain

    def on_boot(self) -> None:
        """Let all areas that were ever used settle what waited for the boot."""
        for name in list(self._plain):
            module, _, kind = name.partition(":")
            self.get(getattr(import_module(_PACKAGE + module), kind))
        # One that settles may be the first to ask for another, which has nothing to settle yet.
        for area in list(self._made.values()):
            area.on_boot()

    def to_plain(self) -> dict[str, Any]:
        """Give the state of all areas that were ever used."""
        return {**self._plain, **{name: area.to_plain() for name, area in self._made.items()}}

    def load(self, plain: Mapping[str, Any]) -> None:
        """Take what ``to_plain`` gave; an area is restored when it is asked for."""
        self._plain = dict(plain)
