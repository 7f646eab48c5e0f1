"""Get- and Set-IscsiTargetServerSetting: where the target server listens."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting
from provisioner.lab.machine.iscsi.portals import TargetPortal, TargetPortals
from provisioner.lab.machine.machine import Machine
from provisioner.lab.values import PsObject

_TYPES: Final = "Microsoft.Iscsi.Target.Commands."


async def get_setting(invocation: Invocation) -> None:
    """Write the settings of the server with its portals."""
    with reporting(invocation, "Get-IscsiTargetServerSetting", _TYPES + "GetIscsiTargetServerSettingCommand"):
        invocation.output.write(_setting(invocation.node.machine))


async def set_setting(invocation: Invocation) -> None:
    """Change the portal of an address."""
    given = invocation.parameters
    address = str(given.get("IP"))
    kind = _TYPES + "SetIscsiTargetServerSettingCommand"
    with reporting(invocation, "Set-IscsiTargetServerSetting", kind, address):
        invocation.node.machine.area(TargetPortals).set(
            address,
            port=int(given["Port"]) if given.get("Port") is not None else None,
            is_enabled=bool(given["Enable"]) if given.get("Enable") is not None else None,
        )
        if given.get("PassThru"):
            invocation.output.write(_setting(invocation.node.machine))


def _setting(machine: Machine) -> PsObject:
    return PsObject(
        (_TYPES + "IscsiTargetServerSetting", "System.Object"),
        {
            "ComputerName": machine.computer_name,
            "IsClustered": False,
            "Version": f"10.0.{machine.build}",
            "DisableRemoteManagement": False,
            "Portals": [_portal(item) for item in machine.area(TargetPortals).all()],
        },
    )


def _portal(item: TargetPortal) -> PsObject:
    """Give a portal; its text has a plus when it is enabled, as the documentation shows it."""
    return PsObject(
        (_TYPES + "Portal", "System.Object"),
        {
            "Enabled": item.is_enabled,
            "IPEndpoint": PsObject(
                ("System.Net.IPEndPoint", "System.Net.EndPoint", "System.Object"),
                {"Address": item.address, "Port": item.port},
                text=item.endpoint,
            ),
        },
        text=f"{'+' if item.is_enabled else '-'}{item.endpoint}",
    )
