"""Test-NetConnection: whether a host can be reached, and with -Port whether something answers there.

A node of the lab answers on the ports that Windows or a role of it serves; what is outside the lab see reaching.
"""

from __future__ import annotations

from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.network.reaching import address_of, answers, answers_outside
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
    is_ours = address is not None and answers(machine, address)
    is_there = is_ours or answers_outside(machine, name)
    carrier = machine.network.management
    shown: dict[str, Any] = {
        "ComputerName": name,
        "RemoteAddress": address,
        "PingSucceeded": is_there,
        "InterfaceAlias": carrier.name if carrier else None,
        "SourceAddress": machine.address,
    }
    if port is not None:
        if is_ours:
            there = next((item for item in machine.world.machines() if item.address == address), machine)
            is_open = int(port) in _OPEN or (
                int(port) == _ISCSI and there.features.is_installed("FS-iSCSITarget-Server")
            )
        else:
            is_open = answers_outside(machine, name, int(port))
        shown |= {"RemotePort": UInt32(int(port)), "TcpTestSucceeded": is_open}
        if not shown["TcpTestSucceeded"]:
            invocation.output.warning(f"TCP connect to ({address or name} : {port}) failed")
    if invocation.parameters.get("InformationLevel", "").casefold() == "quiet":
        invocation.output.write(bool(shown.get("TcpTestSucceeded", is_there)))
    else:
        invocation.output.write(PsObject(("TestNetConnectionResult", "System.Object"), shown))
