"""Faults between a client and its node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from provisioner.lab import trees
from provisioner.lab.faults.base import Fault, Place
from provisioner.lab.trees import Reader

DIRECTIONS: Final = ("request", "answer")
#: How a connection ends: with a reset, or with a farewell (FIN).
ENDINGS: Final = ("reset", "close")


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """Each answer comes ``seconds`` later, give or take ``jitter``."""

    kind: ClassVar[str] = "latency"
    about: ClassVar[str] = "each answer comes so many seconds later, give or take the jitter"
    place: ClassVar[Place] = Place.NETWORK
    readers: ClassVar[Mapping[str, Reader]] = {"seconds": trees.number, "jitter": trees.number}
    required: ClassVar[tuple[str, ...]] = ("seconds",)

    seconds: float = 0.0
    jitter: float = 0.0


@dataclass(frozen=True, slots=True)
class Bandwidth(Fault):
    """Each connection carries so many bytes in a second, in each direction."""

    kind: ClassVar[str] = "bandwidth"
    about: ClassVar[str] = "a connection carries so many bytes in a second"
    place: ClassVar[Place] = Place.NETWORK
    readers: ClassVar[Mapping[str, Reader]] = {"bytes_per_s": trees.integer}
    required: ClassVar[tuple[str, ...]] = ("bytes_per_s",)

    bytes_per_s: int = 0


@dataclass(frozen=True, slots=True)
class Drop(Fault):
    """The connection breaks at the n-th message, or the n-th byte, of one direction.

    Counted over all connections since the fault began, and anew after each break. A request that is lost was
    not seen by the node; an answer that is lost was given.
    """

    kind: ClassVar[str] = "drop"
    about: ClassVar[str] = "the connection breaks at the n-th message or byte of requests, or of answers"
    place: ClassVar[Place] = Place.NETWORK
    readers: ClassVar[Mapping[str, Reader]] = {
        "message": trees.integer,
        "byte": trees.integer,
        "direction": trees.one_of(DIRECTIONS),
        "how": trees.one_of(ENDINGS),
    }
    usual_times: ClassVar[int | None] = 1

    message: int = 1
    #: Counts bytes instead of messages unless 0.
    byte: int = 0
    direction: str = "request"
    how: str = "reset"


@dataclass(frozen=True, slots=True)
class HalfOpen(Fault):
    """The peer is gone without a word. What is connected stays so and is never answered.

    New connections are ``accepted`` and never answered, or ``ignored``: a black hole that answers no SYN. When the
    fault ends, the connections it silenced are reset.
    """

    kind: ClassVar[str] = "half-open"
    about: ClassVar[str] = "connections stay open and are never answered; new ones are accepted, or ignored"
    place: ClassVar[Place] = Place.NETWORK
    readers: ClassVar[Mapping[str, Reader]] = {"connections": trees.one_of(("accepted", "ignored"))}

    connections: str = "accepted"


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """The network is cut: connections are reset and new ones refused."""

    kind: ClassVar[str] = "cut"
    about: ClassVar[str] = "connections are reset and new ones refused"
    place: ClassVar[Place] = Place.NETWORK
