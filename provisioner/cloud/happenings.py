"""What a run on the controller's side tells: one value for each line of JSON, none with a secret.

The rule of the room: values only. How they look is for the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provisioner.cloud.differences import Change

#: Statuses of a node that is waited for.
UNREGISTERED = "unregistered"
UNMAPPED = "unmapped"
NOT_EMPTY = "not-empty"


@dataclass(frozen=True, slots=True)
class Planned:
    """Would be changed."""

    change: Change


@dataclass(frozen=True, slots=True)
class Changed:
    """Was changed."""

    change: Change


@dataclass(frozen=True, slots=True)
class Done:
    """A step of retiring a node was done, or would be; ``step`` says what."""

    node: str
    step: str


@dataclass(frozen=True, slots=True)
class Waits:
    """A node is waited for: ``status`` is unregistered, unmapped or not-empty, ``reason`` a sentence."""

    node: str
    status: str
    reason: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """Nothing failed, and somebody should know."""

    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A node, or what else it is about, did not become what the inventory says."""

    about: str
    reason: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The end: how many changes were made, or would be, and how much failed."""

    changes: int
    failed: int


Happening = Planned | Changed | Done | Waits | Warned | Failed | Finished
Tell = Callable[[Happening], None]


def as_json(happening: Happening) -> dict[str, Any]:
    """Return a happening as plain data."""
    kind = {"type": type(happening).__name__}
    match happening:
        case Planned(change) | Changed(change):
            return {
                **kind,
                "action": change.action.value,
                "target": change.target,
                "node": change.node,
                "host": change.host,
                "values": dict(change.values),
            }
        case _:
            return {**kind, **{name: getattr(happening, name) for name in happening.__slots__}}
