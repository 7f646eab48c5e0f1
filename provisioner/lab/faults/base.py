"""What a fault is: a value with parameters, a word for its kind, and when it takes hold. It does nothing itself.

The rule of the room: data and how they are read. Who makes a node suffer is in ``lab.afflictions``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Final

from provisioner.lab.trees import Reader

_NONE: Final[Mapping[str, Reader]] = MappingProxyType({})


class Place(Enum):
    """Where a fault takes hold."""

    NETWORK = "network"
    HTTP = "http"
    SHELLS = "shells"
    POWER = "power"
    LCM = "lcm"
    RESOURCES = "resources"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Fault:
    """Base of all kinds. ``about`` is one line for people; an event is over as soon as it has happened."""

    kind: ClassVar[str]
    about: ClassVar[str]
    place: ClassVar[Place]
    readers: ClassVar[Mapping[str, Reader]] = _NONE
    required: ClassVar[tuple[str, ...]] = ()
    is_event: ClassVar[bool] = False
    #: How often it takes hold unless ``times`` says otherwise; None is always.
    usual_times: ClassVar[int | None] = None


@dataclass(frozen=True, slots=True)
class When:
    """When a fault begins and ends, the same for all kinds.

    It begins once the node has got ``after_messages`` requests and ``after_s`` seconds have passed, both counted
    from when it was injected; it ends after ``for_s`` seconds, or when it took hold ``times`` times. Seconds are
    the node's: a lab with a time scale has them shorter or longer, and real ones where the scale is 0.
    """

    after_messages: int = 0
    after_s: float = 0.0
    for_s: float | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault and when it is to happen."""

    fault: Fault
    when: When = When()

    def to_plain(self) -> dict[str, Any]:
        """Give what ``reader`` would read this from."""
        plain: dict[str, Any] = {"kind": self.fault.kind}
        for item in dataclasses.fields(self.fault):
            value = getattr(self.fault, item.name)
            if value != item.default:
                plain[item.name] = value
        when = self.when
        after = {"messages": when.after_messages, "seconds": when.after_s}
        if any(after.values()):
            plain["after"] = {name: value for name, value in after.items() if value}
        if when.for_s is not None:
            plain["for"] = when.for_s
        if when.times is not None:
            plain["times"] = when.times
        return plain

    def __str__(self) -> str:
        words = [self.fault.kind]
        for name, value in self.to_plain().items():
            if isinstance(value, dict):
                words += [f"{name}.{inner}={each}" for inner, each in value.items()]
            elif name != "kind":
                words.append(f"{name}={value}")
        return " ".join(words)
