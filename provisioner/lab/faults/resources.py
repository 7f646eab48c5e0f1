"""Faults of single resources, named by a pattern of their ids or by their type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from provisioner.lab import trees
from provisioner.lab.faults.base import Fault, Place
from provisioner.lab.trees import Reader


def matches(pattern: str, text: str) -> bool:
    """Whether a name is meant: ``*`` and ``?`` stand for others, brackets for themselves, case does not count."""
    wild = "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in pattern)
    return re.fullmatch(wild, text, re.IGNORECASE | re.DOTALL) is not None


def is_meant(pattern: str, resource_id: str) -> bool:
    """Whether a resource is meant by its id (``[File]a*``), or by its type when the pattern has no bracket."""
    if "[" in pattern:
        return matches(pattern, resource_id)
    return matches(pattern, resource_id.partition("]")[0].removeprefix("["))


@dataclass(frozen=True, slots=True)
class ResourceFails(Fault):
    """Get, Test or Set of some resources throws."""

    kind: ClassVar[str] = "resource-fails"
    about: ClassVar[str] = "Get, Test or Set of the resources of an id or type throws"
    place: ClassVar[Place] = Place.RESOURCES
    readers: ClassVar[Mapping[str, Reader]] = {
        "resource": trees.text,
        "operation": trees.one_of(("Get", "Test", "Set")),
        "message": trees.text,
        "error_id": trees.text,
        "category": trees.text,
    }
    required: ClassVar[tuple[str, ...]] = ("resource",)

    resource: str = "*"
    operation: str = "Set"
    message: str = "The resource was made to fail."
    error_id: str = "InjectedFailure"
    category: str = "NotSpecified"


@dataclass(frozen=True, slots=True)
class SetLies(Fault):
    """Set of some resources does nothing and says that it went well."""

    kind: ClassVar[str] = "set-lies"
    about: ClassVar[str] = "Set of the resources of an id or type does nothing and reports success"
    place: ClassVar[Place] = Place.RESOURCES
    readers: ClassVar[Mapping[str, Reader]] = {"resource": trees.text}
    required: ClassVar[tuple[str, ...]] = ("resource",)

    resource: str = "*"
