"""What all areas of a machine share: the error they raise and the ledger that hears of every change.

An area knows Windows behaviour and nothing about DSC, commands or the wire.
"""

from __future__ import annotations

from collections.abc import Callable


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
