"""Faults of the Local Configuration Manager."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from provisioner.lab import trees
from provisioner.lab.faults.base import Fault, Place
from provisioner.lab.trees import Reader


@dataclass(frozen=True, slots=True)
class LcmBusy(Fault):
    """The LCM works for somebody else: a consistency run of its own, or a push of another controller."""

    kind: ClassVar[str] = "lcm-busy"
    about: ClassVar[str] = "the LCM is busy with a consistency run, or with a push of somebody else"
    place: ClassVar[Place] = Place.LCM
    readers: ClassVar[Mapping[str, Reader]] = {"by": trees.one_of(("consistency", "push"))}

    by: str = "consistency"


@dataclass(frozen=True, slots=True)
class LcmStuck(Fault):
    """The next resource does not return and the operation cannot be cancelled."""

    kind: ClassVar[str] = "lcm-stuck"
    about: ClassVar[str] = "a resource that is run does not return, and the operation cannot be cancelled"
    place: ClassVar[Place] = Place.LCM


@dataclass(frozen=True, slots=True)
class LcmKilled(Fault):
    """The process that hosts the LCM is ended; what runs stays pending."""

    kind: ClassVar[str] = "lcm-killed"
    about: ClassVar[str] = "the process that hosts the LCM is ended; what ran stays pending"
    place: ClassVar[Place] = Place.LCM
    is_event: ClassVar[bool] = True
