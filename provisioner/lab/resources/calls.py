"""How resource functions call cmdlets, by the preference for their errors.

Outside of ``try`` every error of a cmdlet is written and the function goes on; with ``-ErrorAction Stop`` what the
cmdlet writes is thrown (``stopping``). Where a whole function stops at errors, or stands in a ``try``, everything
is thrown: that is ``binding.calling``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from provisioner.lab.machine.area import MachineError
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import thrown

_T = TypeVar("_T")


def written(context: ResourceContext, command: str, action: Callable[[], _T]) -> _T | None:
    """Do what a cmdlet does; its error is written, and the answer is None then.

    ``command`` is what error ids end with: the class of a cmdlet, the name of a function.
    """
    try:
        return action()
    except MachineError as error:
        context.nonterminating.append(thrown(error, command))
        return None


def silenced(action: Callable[[], _T]) -> _T | None:
    """Do what a cmdlet with ``-ErrorAction SilentlyContinue`` does; None when it fails."""
    try:
        return action()
    except MachineError:
        return None


def stopping(context: ResourceContext, command: str, action: Callable[[], _T]) -> _T | None:
    """Do what a cmdlet with ``-ErrorAction Stop`` does: its error is thrown.

    An error that ends the cmdlet anyway ends but the statement: it is written, and the answer is None then.

    Raises:
        ResourceError: the cmdlet wrote an error.
    """
    try:
        return action()
    except MachineError as error:
        if not error.is_terminating:
            raise thrown(error, command) from None
        context.nonterminating.append(thrown(error, command))
        return None


def works(context: ResourceContext, cmdlet: str) -> bool:
    """Whether a cmdlet that only reads answers; its error is written."""
    return written(context, cmdlet, lambda: _attempt(context, cmdlet)) is not None


def must_work(context: ResourceContext, cmdlet: str) -> bool:
    """Whether a cmdlet that only reads answers, with ``-ErrorAction Stop``.

    Raises:
        ResourceError: the cmdlet wrote an error.
    """
    return stopping(context, cmdlet, lambda: _attempt(context, cmdlet)) is not None


def works_silently(context: ResourceContext, cmdlet: str) -> bool:
    """Whether a cmdlet that only reads answers, with ``-ErrorAction SilentlyContinue``."""
    try:
        return _attempt(context, cmdlet)
    except MachineError as error:
        if error.is_terminating:
            context.nonterminating.append(thrown(error, cmdlet))
        return False


def _attempt(context: ResourceContext, cmdlet: str) -> bool:
    context.machine.ledger.attempt(cmdlet)
    return True
