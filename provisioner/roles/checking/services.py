"""The key ``options`` of a resource: which service reads the file that it writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import did_you_mean
from provisioner.options.catalogue import releases

if TYPE_CHECKING:
    from provisioner.diagnostics import Diagnostics, SourceRange

#: The resource whose text is looked at, and the property that holds it.
RESOURCE: Final = "ConfigurationFile"
PROPERTY: Final = "Contents"


def check_service(service: str, where: SourceRange, problems: Diagnostics) -> None:
    """Refuse the name of a service whose options nobody knows in any release."""
    known = releases()
    if service not in known:
        problems.error(
            "Unknown service",
            f"'{service}' is no service whose options are known.",
            where,
            did_you_mean(service, known),
        )
