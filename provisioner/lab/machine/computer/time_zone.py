"""The time zone of a machine, out of those Windows knows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

UTC_NAME: Final = "Coordinated Universal Time"


@cache
def zones() -> Mapping[str, int]:
    """Give the minutes before UTC by the id of each zone, in the order in which Windows lists them."""
    text = (files("provisioner.lab.machine") / "data" / "time_zones.txt").read_text("utf-8")
    rows = (line.partition(" ") for line in text.splitlines())
    return {name: int(minutes) for minutes, _, name in rows}


class TimeZone(Area["Machine"]):
    """``current`` is an id. Names shown differ from ids where the display language says so."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self.current = "UTC"
        #: Standard names that are not the id, by id.
        self.names: dict[str, str] = {"UTC": UTC_NAME}

    def standard_name(self, zone: str) -> str:
        """Give the standard name of a zone."""
        return self.names.get(zone, zone)

    def known(self, zone: str) -> str | None:
        """Give the id of a zone as Windows spells it; None when there is none."""
        return next((name for name in zones() if name.casefold() == zone.casefold()), None)

    def change(self, zone: str) -> None:
        """Set the time zone by its id.

        Raises:
            MachineError: there is no such zone.
        """
        self.owner.ledger.attempt("Set-TimeZone")
        found = self.known(zone)
        if found is None:
            raise MachineError(
                f"The time zone ID '{zone}' was not found on the local computer.",
                "TimeZoneNotFound",
                "ObjectNotFound",
                "System.TimeZoneNotFoundException",
            )
        self.current = found
        self.owner.ledger.changed("time zone", found)

    def to_plain(self) -> dict[str, Any]:
        """Give the zone, and the names."""
        return {"current": self.current, "names": self.names}

    def load(self, plain: dict[str, Any]) -> None:
        """Take over what ``to_plain`` gave; parts may be left out."""
        self.current = plain.get("current", self.current)
        self.names = dict(plain.get("names", self.names))
