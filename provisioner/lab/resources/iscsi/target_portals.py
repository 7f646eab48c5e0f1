"""IscsiTargetPortals of ProvisionerDsc (class PROV_IscsiTargetPortals): where the target server listens."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

from provisioner.lab.machine.iscsi.portals import PORT, TargetPortal, TargetPortals
from provisioner.lab.resources.base import ResourceContext
from provisioner.lab.resources.binding import Rule, bind, calling, resource_error

_RULES: Final = (
    Rule("IsSingleInstance", allowed=("Yes",), is_mandatory=True),
    Rule("Addresses", "strings", is_mandatory=True),
    Rule("Port", "uint16"),
)
_GET: Final = "Microsoft.Iscsi.Target.Commands.GetIscsiTargetServerSettingCommand"
_SET: Final = "Microsoft.Iscsi.Target.Commands.SetIscsiTargetServerSettingCommand"
_ADDRESS: Final = re.compile(r"\d+(\.\d+){3}|.*:.*")


class IscsiTargetPortals:
    """Stateless. Listed addresses listen, all others do not."""

    class_name = "PROV_IscsiTargetPortals"
    module = "ProvisionerDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource; Port is None unless all listen on one."""
        bind("Get-TargetResource", _RULES[:2], properties)
        listening = [item for item in _portals(context) if item.is_enabled]
        ports = {item.port for item in listening}
        return {
            "IsSingleInstance": "Yes",
            "Addresses": sorted(item.address for item in listening),
            "Port": ports.pop() if len(ports) == 1 else None,
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; an address without a portal is a difference."""
        bound = bind("Test-TargetResource", _RULES, properties)
        wanted, port = _addresses(bound), bound.get("Port", PORT)
        portals = {item.address: item for item in _portals(context)}
        if any(portals.get(one) != TargetPortal(one, port) for one in wanted):
            return False
        return not any(item.is_enabled for address, item in portals.items() if address not in wanted)

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: those that listen first, then those that do not."""
        bound = bind("Set-TargetResource", _RULES, properties)
        wanted, port = _addresses(bound), bound.get("Port", PORT)
        portals = {item.address: item for item in _portals(context)}
        for address in wanted:
            if address not in portals:
                raise resource_error(
                    f"No adapter of this machine has the address {address}. Portals are there for: "
                    f"{', '.join(portals)}.",
                    "AddressNotFound",
                    "ObjectNotFound",
                )
        await context.sleep(context.machine.durations.other_s)
        area = context.machine.area(TargetPortals)
        for address, item in portals.items():
            if address in wanted and item != TargetPortal(address, port):
                with calling(_SET):
                    area.set(address, port=port, is_enabled=True)
        for address, item in portals.items():
            if address not in wanted and item.is_enabled:
                with calling(_SET):
                    area.set(address, is_enabled=False)


def _portals(context: ResourceContext) -> list[TargetPortal]:
    with calling(_GET):
        return context.machine.area(TargetPortals).all()


def _addresses(bound: Mapping[str, Any]) -> list[str]:
    """Give the addresses as Windows writes them, each once."""
    found: dict[str, None] = {}
    for text in bound["Addresses"] or ():
        address = _address(text)
        if address is None:
            raise resource_error(f"'{text}' is not an IP address.", "AddressMalformed", "InvalidArgument")
        found[address] = None
    return list(found)


def _address(text: str) -> str | None:
    """Give an address as .NET writes it; a bare number, which .NET takes for one too, is none."""
    if not _ADDRESS.fullmatch(text):
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
