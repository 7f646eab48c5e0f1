"""Get-, Add- and Remove-VMMigrationNetwork: networks over which a host takes virtual machines."""

from __future__ import annotations

import fnmatch
from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import reporting, texts
from provisioner.lab.machine.hyperv.migration import MigrationNetworks
from provisioner.lab.values import PsObject, UInt32

_NAMESPACE: Final = "Microsoft.HyperV.PowerShell."
_CMDLETS: Final = _NAMESPACE + "Commands."


async def get(invocation: Invocation) -> None:
    """Write the networks that fit."""
    machine = invocation.node.machine
    patterns = texts(invocation.parameters.get("Subnet")) or ["*"]
    with reporting(invocation, "Get-VMMigrationNetwork", _CMDLETS + "GetVMMigrationNetwork"):
        for network in machine.area(MigrationNetworks).all():
            if any(fnmatch.fnmatchcase(network, pattern) for pattern in patterns):
                invocation.output.write(_object(network, machine.computer_name))


async def add(invocation: Invocation) -> None:
    """Take machines over one more network."""
    with reporting(invocation, "Add-VMMigrationNetwork", _CMDLETS + "AddVMMigrationNetwork"):
        subnet = str(invocation.parameters["Subnet"])
        invocation.node.machine.area(MigrationNetworks).add(subnet)


async def remove(invocation: Invocation) -> None:
    """Take no machines over a network any more."""
    with reporting(invocation, "Remove-VMMigrationNetwork", _CMDLETS + "RemoveVMMigrationNetwork"):
        subnet = str(invocation.parameters["Subnet"])
        invocation.node.machine.area(MigrationNetworks).remove(subnet)


def _object(network: str, computer: str) -> PsObject:
    return PsObject(
        (_NAMESPACE + "VMMigrationNetwork", _NAMESPACE + "VirtualizationObject", "System.Object"),
        {"Subnet": network, "Priority": UInt32(0), "ComputerName": computer},
        text=f"VMMigrationNetwork (Subnet = '{network}')",
    )
