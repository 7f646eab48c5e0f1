"""What a rule between resources is, and what all of them ask about resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from provisioner.configuration.model import Resource
from provisioner.diagnostics import Diagnostics, SourceRange
from provisioner.inventory.model import Node


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that looks at resources of some types.

    ``keywords`` are folded names of resource types, whatever module they come from: modules that were renamed kept
    their resources. ``judge`` gets every resource of these types, the node they are meant for, and what to tell
    problems to.
    """

    keywords: frozenset[str]
    judge: Callable[[Resource, Node, Diagnostics], None]


def same(value: Any, text: str) -> bool:
    """Whether a value is this text, without regard to case."""
    return isinstance(value, str) and value.casefold() == text.casefold()


def is_present(properties: Mapping[str, Any]) -> bool:
    """Whether the resource is to be there; that is what leaving ``Ensure`` out means."""
    return not same(properties.get("Ensure"), "Absent")


def at(resource: Resource, *names: str) -> SourceRange:
    """Return where the first of these properties that is set stands, or else the resource."""
    return next(
        (resource.property_ranges[name] for name in names if name in resource.property_ranges), resource.where
    )
