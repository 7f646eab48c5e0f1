"""Faults of the HTTP server in front of WinRM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from provisioner import documents
from provisioner.diagnostics import Diagnostics
from provisioner.lab import trees
from provisioner.lab.faults.base import Fault, Place
from provisioner.lab.trees import Reader

STATUSES: Final = ("401", "500", "503")
#: What can be wrong with a certificate.
STATES: Final = ("expired", "wrong-name", "self-signed")

_STATUS: Final = trees.one_of(STATUSES)


def _status(tree: documents.Tree, problems: Diagnostics) -> Any:
    found = _STATUS(tree, problems)
    return found if found is trees.BAD else int(found)


@dataclass(frozen=True, slots=True)
class HttpError(Fault):
    """Every request is answered with one status, before anybody looks at it."""

    kind: ClassVar[str] = "http-error"
    about: ClassVar[str] = "every request is answered with one HTTP status: 401, 500 or 503"
    place: ClassVar[Place] = Place.HTTP
    readers: ClassVar[Mapping[str, Reader]] = {"status": _status}
    required: ClassVar[tuple[str, ...]] = ("status",)

    status: int = 0


@dataclass(frozen=True, slots=True)
class BadCertificate(Fault):
    """The listener for HTTPS shows another certificate; only nodes with HTTPS can have this."""

    kind: ClassVar[str] = "certificate"
    about: ClassVar[str] = "HTTPS shows a certificate that is expired, of another name, or self-signed"
    place: ClassVar[Place] = Place.HTTP
    readers: ClassVar[Mapping[str, Reader]] = {"state": trees.one_of(STATES)}

    state: str = "expired"
