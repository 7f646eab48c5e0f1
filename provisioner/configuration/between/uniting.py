"""Make one resource of those that several roles declare, their lists put together where all of them say so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from provisioner.configuration.model import Credential, Instance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.catalogue.schema import ResourceType
    from provisioner.configuration.model import Resource
    from provisioner.configuration.shapes import Shape
    from provisioner.diagnostics import Diagnostics
    from provisioner.roles.model import Declaration


def check_united(declaration: Declaration, kind: ResourceType, shape: Shape, problems: Diagnostics) -> None:
    """Refuse to unite what cannot be: single values, and lists that each become resources of their own."""
    for name in declaration.unite:
        slot = shape.slot(name.name)
        if slot is None:
            continue  # told as an unknown property
        if kind.expands_to:
            detail = f"{kind.name} becomes a resource for each item of its list."
            help_ = f"Declare one {kind.expands_to} for each item; equal ones of several roles are one."
        elif not slot.prop.is_array:
            detail = f"'{slot.prop.name}' is a single value, and only lists become one."
            help_ = "Remove it from 'unite'."
        else:
            continue
        problems.error("Property cannot be united", detail, name.where, help_)


def united_names(declaration: Declaration, others: Iterable[Declaration]) -> frozenset[str]:
    """Return the properties, folded, that every one of these declarations wants to have united."""
    found = _names(declaration)
    for other in others:
        found &= _names(other)
    return found


def unite(first: Resource, other: Resource, names: frozenset[str]) -> Resource:
    """Return the first resource with the lists of both under ``names``: in order, without duplicates.

    Case makes no difference between texts, as for everything Windows looks up by name. A list that is not there
    is an empty one. Everything else is the first resource's.
    """
    lists = {
        name: _together(first.properties.get(name, ()), other.properties.get(name, ()))
        for name in {**first.properties, **other.properties}
        if name.casefold() in names
    }
    # The order of the schema, which either of the two has for its own.
    order = {prop.name: index for index, prop in enumerate(first.type.properties)}
    together = {**first.properties, **lists}
    return replace(
        first,
        properties=dict(sorted(together.items(), key=lambda pair: order.get(pair[0], len(order)))),
        property_ranges={**other.property_ranges, **first.property_ranges},
        may_recur=first.may_recur and other.may_recur,
    )


def content(value: Any) -> Any:
    """Return what counts of a value: two roles write the same credential in two places."""
    match value:
        case Credential():
            return value.user, value.password, value.secrets
        case Instance():
            return value.class_name, {name: content(part) for name, part in value.properties.items()}
        case tuple():
            return tuple(content(part) for part in value)
        case _:
            return value


def _names(declaration: Declaration) -> frozenset[str]:
    return frozenset(each.name.casefold() for each in declaration.unite)


def _together(*lists: tuple[Any, ...]) -> tuple[Any, ...]:
    found: dict[str, Any] = {}
    for item in (item for each in lists for item in each):
        found.setdefault(item.casefold() if isinstance(item, str) else repr(content(item)), item)
    return tuple(found.values())
