"""RemoteDesktopAdmin of ComputerManagementDsc 10 (class DSC_RemoteDesktopAdmin)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, is_same

_SERVER: Final = r"SYSTEM\CurrentControlSet\Control\Terminal Server"
_LISTENER: Final = rf"{_SERVER}\WinStations\RDP-Tcp"
_DENY, _NLA = "fDenyTSConnections", "UserAuthentication"
_RULES = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("UserAuthentication", allowed=("NonSecure", "Secure")),
)


class RemoteDesktopAdmin:
    """Stateless; a Set that runs without UserAuthentication switches network level authentication off."""

    class_name = "DSC_RemoteDesktopAdmin"
    module = "ComputerManagementDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bind("Get-TargetResource", _RULES, properties)
        denies, asks = _state(context)
        return {
            "IsSingleInstance": "Yes",
            "Ensure": "Absent" if denies else "Present",
            "UserAuthentication": "Secure" if asks else "NonSecure",
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        denies, asks = _state(context)
        if is_same(bound.get("Ensure", "Present"), "Absent") != bool(denies):
            return False
        return "UserAuthentication" not in bound or is_same(bound["UserAuthentication"], "Secure") == bool(
            asks
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: the registry, not the firewall."""
        bound = bind("Set-TargetResource", _RULES, properties)
        registry = context.machine.registry
        await context.sleep(context.machine.durations.other_s)
        registry.set(_SERVER, _DENY, int(is_same(bound.get("Ensure", "Present"), "Absent")))
        registry.set(_LISTENER, _NLA, int(is_same(bound.get("UserAuthentication", ""), "Secure")))


def _state(context: ResourceContext) -> tuple[int, int]:
    """Give whether connections are denied and whether they have to authenticate first: both, on a new server."""
    registry = context.machine.registry
    denies, asks = registry.get(_SERVER, _DENY), registry.get(_LISTENER, _NLA)
    return (1 if denies is None else int(denies)), (1 if asks is None else int(asks))
