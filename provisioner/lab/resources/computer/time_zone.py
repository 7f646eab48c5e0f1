"""TimeZone of ComputerManagementDsc 10 (class DSC_TimeZone)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.computer.time_zone import TimeZone as Zones
from provisioner.lab.machine.computer.time_zone import zones
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.calls import silenced, works, works_silently, written

#: Without it the module finds no cmdlet, and takes CIM and a program instead.
_FINDER = "Get-Command"
_RULES = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("TimeZone", may_be_empty=False, is_mandatory=True),
)


class TimeZone:
    """Stateless; the current id is looked up by the standard name, which several ids may share."""

    class_name = "DSC_TimeZone"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; ids that share a name make a list."""
        bind("Get-TargetResource", _RULES, properties)
        found = _current(context)
        return {"IsSingleInstance": "Yes", "TimeZone": found[0] if len(found) == 1 else found or None}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        return is_same(" ".join(_current(context)), bound["TimeZone"])

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: an unknown zone is written as an error, not thrown."""
        bound = bind("Set-TargetResource", _RULES, properties)
        if is_same(" ".join(_current(context)), bound["TimeZone"]):
            return
        await context.sleep(context.machine.durations.other_s)
        change = partial(context.machine.area(Zones).change, bound["TimeZone"])
        if works_silently(context, _FINDER):
            written(context, "Microsoft.PowerShell.Commands.SetTimeZoneCommand", change)
        elif works_silently(context, "tzutil.exe"):
            # A program that fails is no error.
            silenced(change)


def _current(context: ResourceContext) -> list[str]:
    """Give the ids whose name is that of the current zone; none when it cannot be read, which is written."""
    if not works(context, "Get-TimeZone" if works_silently(context, _FINDER) else "Get-CimInstance"):
        return []
    area = context.machine.area(Zones)
    shown = area.standard_name(area.current)
    return [name for name in zones() if is_same(area.standard_name(name), shown)]
