"""Test-Connection: ping nodes of the lab."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.network.reaching import address_of, answers
from provisioner.lab.values import ErrorRecord, UInt32

_TYPE = "Microsoft.PowerShell.Commands.TestConnectionCommand"
_COUNT = 4


async def run(invocation: Invocation) -> None:
    """Write one object for each echo, or with -Quiet one Boolean for each computer."""
    machine = invocation.node.machine
    for name in texts(invocation.parameters.get("ComputerName")):
        address = address_of(machine, name)
        is_there = address is not None and answers(machine, address)
        if invocation.parameters.get("Quiet"):
            invocation.output.write(is_there)
        elif not is_there:
            reason = "No such host is known" if address is None else "Error due to lack of resources"
            invocation.output.error(
                ErrorRecord(
                    f"Testing connection to computer '{name}' failed: {reason}",
                    f"TestConnectionException,{_TYPE}",
                    "ResourceUnavailable",
                    "System.Net.NetworkInformation.PingException",
                    "Test-Connection",
                    name,
                )
            )
        else:
            for _echo in range(int(invocation.parameters.get("Count", _COUNT))):
                invocation.output.write(
                    instance(
                        "Win32_PingStatus",
                        {
                            "Address": name,
                            "ProtocolAddress": address,
                            "IPV4Address": address,
                            "BufferSize": UInt32(32),
                            "ReplySize": UInt32(32),
                            "ResponseTime": UInt32(0),
                            "StatusCode": UInt32(0),
                        },
                        namespace="root/cimv2",
                    )
                )
