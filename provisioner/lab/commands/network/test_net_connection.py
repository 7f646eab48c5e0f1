"""Test-NetConnection: whether a node of the lab can be reached, and with -Port whether WinRM answers there."""

from __future__ import annotations

from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.reaching import address_of, answers
from provisioner.lab.values import PsObject, UInt32

_PORTS = {"HTTP": 80, "RDP": 3389, "SMB": 445, "WINRM": 5985}
#: What every node of a lab listens on; iSCSI only with its role.
_OPEN = frozenset({5985, 5986, 445, 135})
_ISCSI = 3260


async def run(invocation: Invocation) -> None:
    """Write the result; a port that is closed is warned of, as is a name nobody has."""
    machine = invocation.node.machine
    name = str(invocation.parameters.get("ComputerName") or "internetbeacon.msedge.net")
    port = invocation.parameters.get("Port") or _PORTS.get(
        str(invocation.parameters.get("CommonTCPPort", "")).upper()
    )
    address = address_of(machine, name)
    is_there = address is not None and answers(machine, address)
    carrier = machine.network.management
    shown: dict[str, Any] = {
        "ComputerName": name,
        "RemoteAddress": address,
        "PingSucceeded": is_there,
        "InterfaceAlias": carrier.name if carrier else None,
        "SourceAddress": machine.address,
    }
    if port is not None:
        there = next((item for item in machine.world.machines() if item.address == address), machine)
        is_open = int(port) in _OPEN or (
            int(port) == _ISCSI and there.features.is_installed("FS-iSCSITarget-Server")
        )
        shown |= {"RemotePort": UInt32(int(port)), "TcpTestSucceeded": is_there and is_open}
        if not shown["TcpTestSucceeded"]:
            invocation.output.warning(f"TCP connect to ({address or name} : {port}) failed")
    if address is None:
        invocation.output.warning(f"Name resolution of {name} failed")
    if invocation.parameters.get("InformationLevel", "").casefold() == "quiet":
        invocation.output.write(bool(shown.get("TcpTestSucceeded", is_there)))
    else:
        invocation.output.write(PsObject(("TestNetConnectionResult", "System.Object"), shown))
