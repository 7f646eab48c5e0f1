"""Faults of going down and coming up."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from provisioner import documents
from provisioner.diagnostics import Diagnostics
from provisioner.lab import trees
from provisioner.lab.faults.base import Fault, Place
from provisioner.lab.trees import Reader


def _loopback(tree: documents.Tree, problems: Diagnostics) -> Any:
    found = trees.text(tree, problems)
    if found is trees.BAD:
        return found
    try:
        address = ipaddress.IPv4Address(found)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        problems.error(
            "Wrong lab setting",
            f"'{found}' is no address a simulated node can have.",
            tree.where,
            "Write one in 127.0.0.0/8 that nobody else uses.",
        )
        return trees.BAD
    return str(address)


@dataclass(frozen=True, slots=True)
class Restart(Fault):
    """The node restarts by itself."""

    kind: ClassVar[str] = "restart"
    about: ClassVar[str] = "the node restarts, and nobody asked for it"
    place: ClassVar[Place] = Place.POWER
    is_event: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class SlowReboot(Fault):
    """Each boot takes so much longer."""

    kind: ClassVar[str] = "slow-reboot"
    about: ClassVar[str] = "each boot takes so many seconds longer"
    place: ClassVar[Place] = Place.POWER
    readers: ClassVar[Mapping[str, Reader]] = {"seconds": trees.number}
    required: ClassVar[tuple[str, ...]] = ("seconds",)

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class NoReturn(Fault):
    """A node that goes down does not come up before the fault is cleared."""

    kind: ClassVar[str] = "no-return"
    about: ClassVar[str] = "a node that goes down does not come up until the fault ends"
    place: ClassVar[Place] = Place.POWER


@dataclass(frozen=True, slots=True)
class NewAddress(Fault):
    """The node comes up with another address, and has its own again when the fault ends."""

    kind: ClassVar[str] = "new-address"
    about: ClassVar[str] = "from its next boot on the node has another address"
    place: ClassVar[Place] = Place.POWER
    readers: ClassVar[Mapping[str, Reader]] = {"address": _loopback}
    required: ClassVar[tuple[str, ...]] = ("address",)

    address: str = ""


@dataclass(frozen=True, slots=True)
class SameBoot(Fault):
    """A boot that does not show: the boot id, the boot time, or both are what they were."""

    kind: ClassVar[str] = "same-boot"
    about: ClassVar[str] = "a boot does not show: boot id, boot time or both stay as they were"
    place: ClassVar[Place] = Place.POWER
    readers: ClassVar[Mapping[str, Reader]] = {"keeps": trees.one_of(("id", "time", "both"))}

    keeps: str = "id"
