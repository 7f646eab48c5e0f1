"""How a failing area of the machine becomes the error record of a command."""

from __future__ import annotations

from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import ErrorRecord


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
