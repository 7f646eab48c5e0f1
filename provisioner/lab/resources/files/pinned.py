"""Files that a resource knows to the byte: fetched to a place of its own, and held against their SHA-256."""

from __future__ import annotations

import hashlib
import ntpath
from typing import TYPE_CHECKING

from provisioner.lab.resources.binding import is_same, resource_error

if TYPE_CHECKING:
    from provisioner.lab.resources.base import ResourceContext, ResourceError


def fetch(path: str, copy: str, context: ResourceContext) -> None:
    """Copy what a path, a share or an address has to ``copy``, whose folder is made.

    Raises:
        ResourceError: Nothing is there.
    """
    machine = context.machine
    if path.casefold().startswith("http"):
        text = machine.downloads.get(path)
        data = None if text is None else text.encode()
    else:
        data = machine.files.read(path) if machine.files.is_file(path) else None
    if data is None:
        raise not_found(f"The file {path} cannot be fetched: nothing is there.")
    machine.files.make_folder(ntpath.dirname(copy))
    machine.files.write(copy, data)


def demand_hash(path: str, wanted: str, context: ResourceContext) -> None:
    """Refuse a file with another SHA-256.

    Raises:
        ResourceError: It has another one, or is not there.
    """
    files = context.machine.files
    if not files.is_file(path):
        raise not_found(f"There is no file {path}.")
    actual = hashlib.sha256(files.read(path)).hexdigest()
    if not is_same(actual, wanted):
        raise resource_error(
            f"The file {path} has the SHA-256 {actual}, and not {wanted}.", "HashMismatch", "InvalidData"
        )


def not_found(message: str) -> ResourceError:
    """Make the error of a file that is missing."""
    return resource_error(message, "FileNotFound", "ObjectNotFound")
