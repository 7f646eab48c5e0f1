"""The client of Configuration Manager, as far as it says whether it waits for a reboot. A new machine has none."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from provisioner.lab.machine.area import Area

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine


@dataclass(frozen=True, slots=True)
class RebootAnswer:
    """What DetermineIfRebootPending of CCM_ClientUtilities answers. A boot settles both kinds."""

    return_value: int = 0
    is_hard_pending: bool = False
    is_pending: bool = False


class ConfigurationManager(Area["Machine"]):
    """``answer`` is None on a machine without the client: the namespace root/ccm is not there."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self.answer: RebootAnswer | None = None

    def on_boot(self) -> None:
        """Nothing waits any more."""
        if self.answer:
            self.answer = RebootAnswer(self.answer.return_value)

    def to_plain(self) -> list[Any] | None:
        """Give the answer."""
        return list(astuple(self.answer)) if self.answer else None

    def load(self, plain: list[Any] | None) -> None:
        """Take over what ``to_plain`` gave."""
        self.answer = RebootAnswer(*plain) if plain is not None else None
