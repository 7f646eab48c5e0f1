"""Error records that several commands of items give."""

from __future__ import annotations

from provisioner.lab.machine.area import MachineError
from provisioner.lab.values import ErrorRecord


def no_path(
    path: str, error_id: str, type_name: str, activity: str, category: str = "ObjectNotFound"
) -> ErrorRecord:
    """Make the record of a path one of whose folders is missing."""
    return ErrorRecord(
        f"Could not find a part of the path '{path}'.",
        f"{error_id},{type_name}",
        category,
        "System.IO.DirectoryNotFoundException",
        activity,
        path,
    )


def access_denied(
    error: MachineError, error_id: str, type_name: str, activity: str, path: str
) -> ErrorRecord:
    """Make the record of a file that cannot be written."""
    is_denied = error.error_id == "UnauthorizedAccessException"
    return ErrorRecord(
        error.message,
        f"{error_id},{type_name}",
        "PermissionDenied" if is_denied else "WriteError",
        "System.UnauthorizedAccessException" if is_denied else "System.IO.IOException",
        activity,
        path,
    )
