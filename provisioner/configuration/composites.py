"""Composites of the Set kind: one declaration with a list becomes one resource for each item.

Windows PowerShell names the members ``Resource0``, ``Resource1`` and so on within the composite, gives each all
other properties, and writes no instance for the composite itself. Source: mof-format, sections 3.1, 3.4 and
3.6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.addresses import ResourceId
from provisioner.catalogue.schema import CimType
from provisioner.diagnostics import did_you_mean

if TYPE_CHECKING:
    from typing import Any

    from provisioner.catalogue.schema import ResourceType
    from provisioner.configuration.model import Resource
    from provisioner.configuration.shapes import Shape
    from provisioner.diagnostics import Diagnostics


def members(
    composite: Resource, kind: ResourceType, shape: Shape, problems: Diagnostics
) -> tuple[Resource, ...] | None:
    """Return the resources of a composite whose properties were checked against its own schema.

    Args:
        composite: The declaration as one resource.
        kind: The type of the members.
        shape: The shape of that type.
        problems: Gets what the members' type does not take.
    """
    split = composite.type.split_by
    values = composite.properties[split]
    shared, ranges = _shared(composite, shape, problems)
    key = shape.slot(split)
    if key is None or shared is None:
        return None
    if not values:
        problems.error(
            "Composite has no members",
            f"'{split}' of '{composite.id}' is an empty list, so nothing would come of it.",
            composite.property_ranges[split],
            "Remove the resource, or give it a condition.",
        )
        return None
    # Where the members' type has a key the composite does not offer, it is empty: ProcessSet has no arguments.
    for name in shape.keys:
        slot = shape.slots[name]
        if name != key.prop.name and name not in shared and slot.prop.type is CimType.STRING:
            shared[name] = ""
    if not _is_enough(composite, shape, {*shared, key.prop.name}, problems):
        return None
    within = str(composite.id)
    found = []
    for number, value in enumerate(values):
        properties = {**shared, key.prop.name: value}
        in_order = dict(sorted(properties.items(), key=lambda pair: shape.slots[pair[0]].position))
        found.append(
            replace(
                composite,
                id=ResourceId(kind.name, f"Resource{number}", within),
                type=kind,
                properties=in_order,
                property_ranges=ranges,
            )
        )
    return tuple(found)


def _is_enough(composite: Resource, shape: Shape, given: set[str], problems: Diagnostics) -> bool:
    """Whether members have all they need; what only their resource asks for is a warning."""
    missing = [slot.prop.name for slot in shape.needed if slot.prop.name not in given]
    for name in missing:
        problems.error(
            "Missing property",
            f"Each {shape.name} of '{composite.id}' needs a value for '{name}'.",
            composite.where,
            f"Add '{name}' below 'properties'.",
        )
    for slot in shape.needed_on_node:
        if slot.prop.name not in given:
            problems.warning(
                "Property is needed on the node",
                f"'{composite.id}' has no value for '{slot.prop.name}': a document may do without, and "
                f"{shape.name} refuses to run.",
                composite.where,
                f"Add '{slot.prop.name}' below 'properties'.",
            )
    return not missing


def _shared(
    composite: Resource, shape: Shape, problems: Diagnostics
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Return what every member gets, by the spelling of their type, and where each value stands."""
    split = composite.type.split_by
    shared: dict[str, Any] = {}
    ranges: dict[str, Any] = {}
    is_complete = True
    for name, value in composite.properties.items():
        slot = shape.slot(name)
        where = composite.property_ranges[name]
        if slot is None:
            problems.error(
                "Unknown property",
                f"{composite.type.name} passes '{name}' on to its members, and {shape.name} has no such property.",
                where,
                did_you_mean(name, shape.settable),
            )
            is_complete = False
            continue
        ranges[slot.prop.name] = where
        if name == split:
            continue
        has_list = isinstance(value, tuple)
        if slot.prop.is_array == has_list:
            shared[slot.prop.name] = value
        elif slot.prop.is_array:
            shared[slot.prop.name] = (value,)
        else:
            problems.error(
                "Property has the wrong type",
                f"'{name}' is a list here, and each {shape.name} takes one value.",
                where,
            )
            is_complete = False
    return (shared if is_complete else None), ranges
