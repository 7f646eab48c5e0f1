"""How a failing area of the machine becomes the error record of a command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import ErrorRecord, TerminatingError

_UNITS: Final = {"": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def record(error: MachineError, type_name: str, activity: str, target: Any = None) -> ErrorRecord:
    """Make the record; ``type_name`` is the .NET class of the command, which ends the error id."""
    return ErrorRecord(
        error.message, f"{error.error_id},{type_name}", error.category, error.exception_type, activity, target
    )


def texts(value: Any) -> list[str]:
    """Give a parameter that may be one text or a list of them as a list."""
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]


@contextmanager
def reporting(
    invocation: Invocation, activity: str, type_name: str = "", target: Any = None
) -> Iterator[None]:
    """Write the error of a machine as that of a command, or throw it when it ends the pipeline.

    ``type_name`` is the .NET class of a cmdlet; error ids of functions end with their name.
    """
    try:
        yield
    except MachineError as error:
        written = record(error, type_name or activity, activity, target)
        if error.is_terminating:
            raise TerminatingError(written) from None
        invocation.output.error(written)


def size_of(value: Any) -> int | None:
    """Read a number of bytes; PowerShell takes ``10GB`` for one too. None when it is none."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value)
    found = re.fullmatch(r"(\d+)\s*([KMGT]B)?", str(value).strip(), re.IGNORECASE)
    return int(found[1]) * _UNITS[(found[2] or "").upper()] if found else None
