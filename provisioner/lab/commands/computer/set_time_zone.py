"""Set-TimeZone: set the zone of the machine by its id or name."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.computer.get_time_zone import shown
from provisioner.lab.commands.failure import record
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.time_zone import TimeZone, zones

_TYPE = "Microsoft.PowerShell.Commands.SetTimeZoneCommand"


async def run(invocation: Invocation) -> None:
    """Set the zone; an id nobody knows is an error."""
    area = invocation.node.machine.area(TimeZone)
    wanted = str(invocation.parameters.get("Id") or invocation.parameters.get("Name") or "")
    by_name = next(
        (item for item in zones() if area.standard_name(item).casefold() == wanted.casefold()), wanted
    )
    try:
        area.change(by_name if "Name" in invocation.parameters else wanted)
    except MachineError as error:
        invocation.output.error(record(error, _TYPE, "Set-TimeZone", wanted))
        return
    if invocation.parameters.get("PassThru"):
        invocation.output.write(shown(area, area.current))
