"""Faults of the WinRM service and of what it hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from provisioner.lab import trees
from provisioner.lab.faults.base import Fault, Place
from provisioner.lab.trees import Reader

#: What can be used up.
QUOTAS: Final = ("shells", "users", "operations", "processes")


@dataclass(frozen=True, slots=True)
class Quota(Fault):
    """Others have used up a quota; ``allowed`` is the number that the refusal names."""

    kind: ClassVar[str] = "quota"
    about: ClassVar[str] = "a quota is used up: of shells, users, operations or processes in a shell"
    place: ClassVar[Place] = Place.SHELLS
    readers: ClassVar[Mapping[str, Reader]] = {"of": trees.one_of(QUOTAS), "allowed": trees.integer}

    of: str = "shells"
    allowed: int = 30


@dataclass(frozen=True, slots=True)
class ShellKilled(Fault):
    """The processes that host shells are ended; the service goes on."""

    kind: ClassVar[str] = "shell-killed"
    about: ClassVar[str] = "all shells are ended, as when somebody kills the processes that host them"
    place: ClassVar[Place] = Place.SHELLS
    is_event: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class WinRmRestart(Fault):
    """The WinRM service restarts: nothing listens for ``away_s``, all shells are gone, the LCM goes on."""

    kind: ClassVar[str] = "winrm-restart"
    about: ClassVar[str] = "the WinRM service restarts: away for so long, all shells gone; the LCM goes on"
    place: ClassVar[Place] = Place.SHELLS
    readers: ClassVar[Mapping[str, Reader]] = {"away_s": trees.number}
    is_event: ClassVar[bool] = True

    away_s: float = 2.0
