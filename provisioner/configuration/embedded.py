"""Convert the value of any property: plain ones, lists, credentials, and mappings that become embedded instances.

An author writes a mapping; its class is the one the schema names, so it is never written. A mapping for an array
counts as an array of one, as a single plain value does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from provisioner.catalogue.registry import COMMON_PROPERTIES
from provisioner.catalogue.schema import CREDENTIAL_CLASS, PAIR_CLASS, Property, Qualifier
from provisioner.configuration.credentials import credential, entries_of, secret_lines
from provisioner.configuration.limits import WrongValue, check_count
from provisioner.configuration.model import Credential, Instance
from provisioner.configuration.values import UNSPEAKABLE, convert_item, speakable, wrong_type
from provisioner.diagnostics import Diagnostics, did_you_mean
from provisioner.roles.model import Reference, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provisioner.catalogue.schema import ResourceType
    from provisioner.configuration.shapes import Shape, Shapes, Slot
    from provisioner.diagnostics import SourceRange


_OWNED = {name.casefold(): name for name in COMMON_PROPERTIES}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What converting needs beside a value: where classes are found, for which type, and who hears of problems.

    ``united`` are properties, folded, in which an empty list says that a role adds nothing to those of others.
    """

    shapes: Shapes
    kind: ResourceType
    problems: Diagnostics
    united: frozenset[str] = frozenset()


def convert(slot: Slot, value: Value, around: Surroundings) -> Any:
    """Return what the document holds: str, bool, int, float, ``Instance``, ``Credential`` or a tuple of these.

    None when the value is wrong; the problem is recorded at the position of the wrong part.
    """
    data = value.data
    # The two that make up nearly all of a fleet, without a detour.
    if type(data) is str:
        if slot.is_any_text and not UNSPEAKABLE.search(data) and not data.startswith("env:"):
            return data
        if slot.is_word and data in slot.words:
            return slot.words[data]
    prop = slot.prop
    if prop.embedded_class == PAIR_CLASS:
        return _pairs(prop, value, around.problems)
    if not prop.is_array:
        return _one(slot, value, around)
    if not isinstance(data, list | tuple):
        single = _one(slot, value, around)
        found = None if single is None else (single,)
    else:
        parts = value.items or tuple(Value(part, value.where) for part in data)
        items = [_one(slot, part, around) for part in parts if part.data is not None]
        found = None if None in items else tuple(items)
    return (
        None
        if found is None or not _is_count_right(prop, len(found), value.where, around.problems)
        else found
    )


def _is_count_right(prop: Property, count: int, where: SourceRange, problems: Diagnostics) -> bool:
    try:
        check_count(prop, count)
    except WrongValue as wrong:
        problems.error(wrong.summary, wrong.detail, where, wrong.help)
        return False
    return True


def fill(
    shape: Shape, entries: Iterable[tuple[Reference, Value]], around: Surroundings
) -> tuple[dict[str, Any], dict[str, SourceRange]]:
    """Convert named values for a class; unknown, read-only and repeated names are reported.

    Returns:
        Values in schema order by the schema's spelling, and where each stands. A wrong value is None.
    """
    found: dict[str, Any] = {}
    ranges: dict[str, SourceRange] = {}
    slots = shape.slots
    for key, value in entries:
        slot = slots.get(key.name) or slots.get(key.name.casefold())
        if slot is None or slot.prop.qualifier is Qualifier.READ:
            refuse(key, slot, shape, around.problems)
            continue
        name = slot.prop.name
        if name in ranges:
            around.problems.error(
                "Property is set twice",
                f"'{name}' is set at {ranges[name]} already; names ignore case.",
                key.where,
            )
            continue
        if value.data is None:
            continue
        ranges[name] = value.where
        converted = convert(slot, value, around)
        if isinstance(converted, Credential) and converted.secrets is not None and not converted.secrets:
            # Every one of the named secrets is null, which means "not set".
            del ranges[name]
            continue
        if converted == () and slot.prop.qualifier is not Qualifier.REQUIRED:
            if name.casefold() not in around.united:
                _leave_out(slot, value, around.problems)
            if slot.prop.qualifier is Qualifier.KEY:
                del ranges[name]
            continue
        found[name] = converted
    in_order = dict(sorted(found.items(), key=lambda pair: slots[pair[0]].position))
    return in_order, ranges


def refuse(key: Reference, slot: Slot | None, shape: Shape, problems: Diagnostics) -> None:
    """Say why a property of this name cannot be set."""
    if slot is not None:
        problems.error(
            "Property cannot be set",
            f"'{slot.prop.name}' of {shape.name} can only be read.",
            key.where,
            "Remove it.",
        )
    elif shape.is_resource and key.name.casefold() == "dependson":
        problems.error(
            "Property cannot be set",
            "'DependsOn' is no property of a resource type.",
            key.where,
            "Write 'dependsOn' beside 'properties'.",
        )
    elif shape.is_resource and key.name.casefold() in _OWNED:
        problems.error(
            "Property cannot be set",
            f"'{_OWNED[key.name.casefold()]}' is written by the compiler.",
            key.where,
            "Remove it.",
        )
    else:
        problems.error(
            "Unknown property",
            f"{shape.label} has no property '{key.name}'.",
            key.where,
            did_you_mean(key.name, shape.settable),
        )


def _leave_out(slot: Slot, value: Value, problems: Diagnostics) -> None:
    """Windows writes no property for an empty array (mof-format, 2.2), so nothing would be emptied by it."""
    # An expression may well find nothing on some node; who writes [] means something by it.
    if isinstance(value.data, tuple | dict) and slot.prop.qualifier is not Qualifier.KEY:
        problems.warning(
            "Empty list is left out",
            f"'{slot.prop.name}' is an empty list, and a document cannot say that: it counts as not set.",
            value.where,
            "Remove it; to empty something on the node, look for a property of the resource that says so.",
        )


def _one(slot: Slot, value: Value, around: Surroundings) -> Any:
    prop = slot.prop
    if not prop.embedded_class:
        return convert_item(slot, value, around.problems)
    if prop.embedded_class == CREDENTIAL_CLASS:
        convert_credential = secret_lines if prop.is_secret_lines else credential
        return convert_credential(prop.name, value, around.problems)
    return _instance(prop, value, around)


def _instance(prop: Property, value: Value, around: Surroundings) -> Instance | None:
    problems = around.problems
    shape = around.shapes.embedded(around.kind, prop.embedded_class)
    if shape is None:
        problems.error(
            "Class is not in the catalogue",
            f"'{prop.name}' takes an instance of the class {prop.embedded_class}, which the catalogue does not "
            "have.",
            value.where,
            "Import the module again: provision catalog import.",
        )
        return None
    entries = entries_of(value)
    if entries is None:
        problems.error(
            "Property takes a mapping",
            f"'{prop.name}' is {'a list of mappings' if prop.is_array else 'a mapping'} of class "
            f"{prop.embedded_class}, and this is {kind_of(value.data)}.",
            value.where,
            f"Its keys are: {', '.join(shape.settable)}.",
        )
        return None
    inner = Diagnostics()
    found, ranges = fill(shape, entries, replace(around, problems=inner, united=frozenset()))
    for slot in shape.needed:
        if slot.prop.name not in ranges:
            inner.error(
                "Missing property",
                f"{shape.label} needs a value for '{slot.prop.name}'.",
                value.where,
                f"Add '{slot.prop.name}' below '{prop.name}'.",
            )
    problems.extend(inner)
    return None if inner.has_errors else Instance(prop.embedded_class, found)


def _pairs(prop: Property, value: Value, problems: Diagnostics) -> Any:
    """Return the pairs of a mapping, which PowerShell knows as a hashtable: names differ by more than case."""
    entries = entries_of(value)
    if entries is None:
        problems.error(
            "Property takes a mapping",
            f"'{prop.name}' is a mapping of names to texts, and this is {kind_of(value.data)}.",
            value.where,
            "Write {NAME: TEXT}.",
        )
        return None
    found: list[Instance] = []
    seen: set[str] = set()
    is_complete = True
    for key, part in entries:
        if part.data is None:
            continue
        where = key.where
        try:
            _check_pair_name(prop, key, seen)
            where = part.where
            found.append(Instance(PAIR_CLASS, {"Key": key.name, "Value": _pair_text(prop, key, part)}))
        except WrongValue as wrong:
            problems.error(wrong.summary, wrong.detail, where, wrong.help)
            is_complete = False
    if not is_complete:
        return None
    if prop.is_array:
        return tuple(found)
    if len(found) == 1:
        return found[0]
    problems.error(
        "Property takes one pair", f"'{prop.name}' is a mapping with exactly one name.", value.where
    )
    return None


def _check_pair_name(prop: Property, key: Reference, seen: set[str]) -> None:
    if not key.name:
        raise WrongValue("Name is empty", f"A name in '{prop.name}' is empty.")
    speakable(prop.name, key.name)
    if key.name.casefold() in seen:
        raise WrongValue(
            "Property is set twice", f"'{key.name}' of '{prop.name}' is set already; names ignore case."
        )
    seen.add(key.name.casefold())


def _pair_text(prop: Property, key: Reference, part: Value) -> str:
    data = part.data
    if isinstance(data, str):
        return speakable(f"{prop.name}.{key.name}", data)
    if isinstance(data, int | float) and not isinstance(data, bool):
        return part.text or str(data)
    raise wrong_type(Property(f"{prop.name}.{key.name}", prop.type), data)
