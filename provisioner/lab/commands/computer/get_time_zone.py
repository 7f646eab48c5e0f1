"""Get-TimeZone: the zone of the machine, or those that are named or listed."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.computer.time_zone import TimeZone, zones
from provisioner.lab.values import ErrorRecord, PsObject

_TYPE = "Microsoft.PowerShell.Commands.GetTimeZoneCommand"


async def run(invocation: Invocation) -> None:
    """Write the zones; an id nobody knows is an error."""
    area = invocation.node.machine.area(TimeZone)
    wanted = texts(invocation.parameters.get("Id")) or [area.current]
    if invocation.parameters.get("ListAvailable"):
        wanted = list(zones())
    for name in wanted:
        found = area.known(name)
        if found is None:
            invocation.output.error(
                ErrorRecord(
                    f"The time zone ID '{name}' was not found on the local computer.",
                    f"TimeZoneNotFound,{_TYPE}",
                    "ObjectNotFound",
                    "System.TimeZoneNotFoundException",
                    "Get-TimeZone",
                    name,
                )
            )
        else:
            invocation.output.write(shown(area, found))


def shown(area: TimeZone, name: str) -> PsObject:
    """Make the object of a zone."""
    minutes = zones()[name]
    sign = "-" if minutes < 0 else "+"
    offset = f"{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    display = f"(UTC{sign}{offset}) {name}" if minutes else f"(UTC) {area.standard_name(name)}"
    return PsObject(
        ("System.TimeZoneInfo", "System.Object"),
        {
            "Id": name,
            "DisplayName": display,
            "StandardName": area.standard_name(name),
            "DaylightName": area.standard_name(name).replace("Standard", "Daylight"),
            "BaseUtcOffset": f"{'-' if minutes < 0 else ''}{offset}:00",
            "SupportsDaylightSavingTime": "Standard Time" in name and not name.startswith("UTC"),
        },
        text=display,
    )
