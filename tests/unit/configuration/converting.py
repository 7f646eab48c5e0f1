"""Convert single values with classes made by hand, as the checks do for whole resources."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from provisioner.catalogue.registry import Registry
from provisioner.catalogue.schema import Property, ResourceType
from provisioner.configuration.embedded import Surroundings, convert
from provisioner.configuration.shapes import Shapes, Slot
from provisioner.diagnostics import Diagnostics, SourceFile, SourceRange
from provisioner.roles.model import Reference, Value
from tests.unit.configuration.builders import at

NO_REGISTRY = Registry({}, lambda: "[]")
KIND = ResourceType("Thing", "C_Thing", "Made", "1.0", ())


def registry(*resources: Mapping[str, Any], classes: Sequence[Mapping[str, Any]] = ()) -> Registry:
    """Return the registry of a module ``Made 1.0``."""
    plain = {"module": "Made", "version": "1.0", "resources": list(resources), "classes": list(classes)}
    return Registry({("Made", "1.0"): lambda: json.dumps(plain)}, lambda: "[]")


def value(data: Any, place: Sequence[int] = (1,)) -> Value:
    """Return plain data as the value of a YAML file: each part at a line of its own, in order."""
    lines = list(place)
    return _value(data, lines)


def _value(data: Any, lines: list[int]) -> Value:
    where = at(lines[0])
    lines[0] += 1
    match data:
        case dict():
            entries = []
            for name, part in data.items():
                key = Reference(name, at(lines[0]))
                lines[0] += 1
                entries.append((key, _value(part, lines)))
            return Value(data, where, entries=tuple(entries))
        case list():
            return Value(tuple(data), where, tuple(_value(part, lines) for part in data))
        case _:
            return Value(data, where, text="" if isinstance(data, str | bool) or data is None else str(data))


def converted(prop: Property, given: Any, known: Registry = NO_REGISTRY) -> tuple[Any, list[str]]:
    """Return what a value becomes and the summaries of what is said about it."""
    problems = Diagnostics()
    around = Surroundings(Shapes(known), KIND, problems)
    made = convert(Slot.of(prop), given if isinstance(given, Value) else value(given), around)
    return made, [problem.summary for problem in problems]


def quoted(text: str) -> SourceRange:
    """Return the position of a text that is a file of its own."""
    return SourceRange(SourceFile("dsc_configs/test.dsc.yaml", text), 1, 1, 1, len(text) + 1)
