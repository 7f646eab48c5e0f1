"""The key ``options`` of a resource: which service reads the file that it writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from provisioner.diagnostics import did_you_mean
from provisioner.options.catalogue import releases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provisioner.diagnostics import Diagnostics, SourceRange
    from provisioner.roles.model import DeclaredProperty

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


def with_secrets_asked_for(properties: Sequence[DeclaredProperty]) -> tuple[DeclaredProperty, ...]:
    """Leave out secrets that the text does not ask for: what is laid over it may have taken their options away."""
    text = next((each.value.data for each in properties if _is(each, PROPERTY)), None)
    if not isinstance(text, str):
        return tuple(properties)
    return tuple(_asked_for(each, text) if _is(each, "Secrets") else each for each in properties)


def _asked_for(secrets: DeclaredProperty, text: str) -> DeclaredProperty:
    value = secrets.value
    if not isinstance(value.data, dict):
        return secrets
    names = {name for name in value.data if f"@{{secret:{name}}}" in text}
    kept = replace(
        value,
        data={name: each for name, each in value.data.items() if name in names},
        entries=tuple(entry for entry in value.entries if entry[0].name in names),
    )
    return replace(secrets, value=kept)


def _is(declared: DeclaredProperty, name: str) -> bool:
    return declared.name.name.casefold() == name.casefold()
