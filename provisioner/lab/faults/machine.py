"""Faults of the machine itself: its disks, clock and modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from provisioner import documents
from provisioner.diagnostics import Diagnostics
from provisioner.lab import trees
from provisioner.lab.faults.base import Fault, Place
from provisioner.lab.trees import Reader

#: ERROR_INSTALL_FAILURE, which msiexec gives, and ERROR_DISK_FULL, which a bootstrapper passes on.
_MSI_CODES: Final = trees.one_of(("1603", "112"))


def _signed(tree: documents.Tree, problems: Diagnostics) -> Any:
    if isinstance(tree, documents.Scalar) and type(tree.value) in {int, float}:
        value = float(str(tree.value))
        if abs(value) < float("inf"):
            return value
    problems.error("Wrong lab setting", "This has to be a number.", tree.where)
    return trees.BAD


def _letter(tree: documents.Tree, problems: Diagnostics) -> Any:
    found = trees.text(tree, problems)
    if found is trees.BAD or (len(found.rstrip(":")) == 1 and found[0].isalpha()):
        return found if found is trees.BAD else found[0].upper()
    problems.error("Wrong lab setting", f"'{found}' is no drive letter.", tree.where)
    return trees.BAD


def _msi_code(tree: documents.Tree, problems: Diagnostics) -> Any:
    found = _MSI_CODES(tree, problems)
    return found if found is trees.BAD else int(found)


@dataclass(frozen=True, slots=True)
class DiskFull(Fault):
    """Nothing more can be written to a volume; an installer that wants to ends with ``msi_exit_code``."""

    kind: ClassVar[str] = "disk-full"
    about: ClassVar[str] = "nothing more can be written to a volume; installers end with 1603, or 112"
    place: ClassVar[Place] = Place.MACHINE
    readers: ClassVar[Mapping[str, Reader]] = {"volume": _letter, "msi_exit_code": _msi_code}

    volume: str = "C"
    msi_exit_code: int = 1603


@dataclass(frozen=True, slots=True)
class ClockJump(Fault):
    """The node's clock jumps so far, and back when the fault ends."""

    kind: ClassVar[str] = "clock-jump"
    about: ClassVar[str] = "the clock jumps so many seconds, forward or back"
    place: ClassVar[Place] = Place.MACHINE
    readers: ClassVar[Mapping[str, Reader]] = {"seconds": _signed}
    required: ClassVar[tuple[str, ...]] = ("seconds",)

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ModuleCorrupt(Fault):
    """The manifests of a module's versions cannot be read, until the fault ends."""

    kind: ClassVar[str] = "module-corrupt"
    about: ClassVar[str] = "the manifest of a DSC module, all versions, cannot be read"
    place: ClassVar[Place] = Place.MACHINE
    readers: ClassVar[Mapping[str, Reader]] = {"module": trees.text}
    required: ClassVar[tuple[str, ...]] = ("module",)

    module: str = ""
