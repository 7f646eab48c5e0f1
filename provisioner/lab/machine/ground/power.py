"""Power plans: which there are and which one is active."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from provisioner.lab.machine.area import Ledger


@dataclass(frozen=True, slots=True)
class Plan:
    """A power plan; ``guid`` in lower case without braces."""

    name: str
    guid: str


_DIGITS: Final = re.compile("([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")
BALANCED = Plan("Balanced", "381b4222-f694-41f0-9685-ff5bb260df2e")
IN_BOX: tuple[Plan, ...] = (
    BALANCED,
    Plan("High performance", "8c5e7fda-e8bf-4a96-9a85-a6e23a8c635c"),
    Plan("Power saver", "a1841308-3541-4fab-bc81-f71556f20b4a"),
)


class Power:
    """Plans in the order the system lists them. Names need not be unique."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.plans = IN_BOX
        self.active = BALANCED.guid

    def find(self, name_or_guid: str) -> list[Plan]:
        """Plans of this friendly name or GUID (in any form that .NET reads), without regard to case."""
        wanted = name_or_guid.casefold()
        bare = _bare(wanted.strip())
        return [plan for plan in self.plans if plan.name.casefold() == wanted or plan.guid.casefold() == bare]

    def activate(self, guid: str) -> None:
        """Make a plan the active one."""
        self._ledger.attempt("PowerSetActiveScheme")
        self.active = guid
        self._ledger.changed("power", f"plan {guid} active")

    def to_plain(self) -> dict[str, str]:
        """Give the active plan if it is not the default one."""
        return {} if self.active == BALANCED.guid else {"active": self.active}

    def load(self, plain: dict[str, str]) -> None:
        """Take over what ``to_plain`` gave."""
        self.active = plain.get("active", BALANCED.guid)


def _bare(text: str) -> str:
    """Give a GUID without braces and with its hyphens, when ``text`` is one."""
    if text[:1] + text[-1:] in {"{}", "()"}:
        return text[1:-1]
    parts = _DIGITS.fullmatch(text)
    return "-".join(parts.groups()) if parts else text
