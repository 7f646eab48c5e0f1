"""xMpPreference of xDefender 0.2 (class MSFT_xMpPreference): some words are never read as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from provisioner.lab.machine.security.defender import Defender
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, is_same
from provisioner.lab.resources.calls import written

_RULES = (Rule("Name", is_mandatory=True, may_be_empty=False),)


class MpPreference:
    """Stateless. The name means nothing."""

    class_name = "MSFT_xMpPreference"
    module = "xDefender"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        values = written(context, "Get-MpPreference", context.machine.area(Defender).preferences) or {}
        return {"Name": bound["Name"], **values}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource: a list is compared element by element with the other as one text."""
        bind("Test-TargetResource", _RULES, properties)
        now = written(context, "Get-MpPreference", context.machine.area(Defender).preferences) or {}
        known = {name.casefold(): value for name, value in now.items()}
        return not any(
            _differs(value, known.get(name.casefold())) for name, value in _wanted(properties).items()
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource."""
        bind("Set-TargetResource", _RULES, properties)
        await context.sleep(context.machine.durations.other_s)
        change = partial(context.machine.area(Defender).change, _wanted(properties))
        written(context, "Set-MpPreference", change)


def _wanted(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name.casefold() != "name"}


def _differs(wanted: Any, now: Any) -> bool:
    right = " ".join(str(item) for item in now) if isinstance(now, list | tuple) else now
    if isinstance(wanted, list | tuple):
        return any(not is_same(item, right) for item in wanted)
    return not is_same(wanted, right)
