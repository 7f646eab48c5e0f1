"""Get-NetIPAddress: the addresses of the machine and the adapters they are on.

A simulated machine has the address it listens on, on its first adapter that is up. Below an external switch the
adapter has none: it moves to the host's port ``vEthernet (NAME)``, and without such a port it is gone.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provisioner.lab.commands.failure import texts
from provisioner.lab.values import EnumValue, ErrorRecord, PsObject, UInt32

if TYPE_CHECKING:
    from provisioner.lab.commands.base import Invocation
    from provisioner.lab.simulated_node import SimulatedNode

_CLASS = "MSFT_NetIPAddress"
_PREFIX = "Microsoft.Management.Infrastructure.CimInstance"
_TYPES = (
    f"{_PREFIX}#ROOT/StandardCimv2/{_CLASS}",
    f"{_PREFIX}#{_CLASS}",
    _PREFIX,
    "System.Object",
)
_ENUM = "Microsoft.PowerShell.Cmdletization.GeneratedTypes.NetIPAddress"
_FAMILIES = {"IPv4": 2, "IPv6": 23}
_LOOPBACK = "Loopback Pseudo-Interface 1"


@dataclass(frozen=True, slots=True)
class _Address:
    text: str
    alias: str
    index: int
    prefix: int

    @property
    def family(self) -> str:
        return "IPv6" if ":" in self.text else "IPv4"


async def run(invocation: Invocation) -> None:
    """Write the addresses; one that nothing has is an error."""
    parameters = invocation.parameters
    found = _addresses(invocation.node)
    if families := [each.casefold() for each in texts(parameters.get("AddressFamily"))]:
        found = [each for each in found if each.family.casefold() in families]
    for name in ("InterfaceAlias", "IPAddress"):
        patterns = texts(parameters.get(name))
        if patterns:
            found = _chosen(invocation, name, patterns, found)
    for each in found:
        invocation.output.write(_object(each))


def _chosen(invocation: Invocation, name: str, patterns: list[str], found: list[_Address]) -> list[_Address]:
    kept: list[_Address] = []
    for wanted in patterns:
        chosen = [
            each
            for each in found
            if fnmatch.fnmatchcase(
                (each.alias if name == "InterfaceAlias" else each.text).casefold(), wanted.casefold()
            )
        ]
        kept += chosen
        if not chosen and not any(char in wanted for char in "*?["):
            invocation.output.error(
                ErrorRecord(
                    f"No {_CLASS} objects found with property '{name}' equal to '{wanted}'.  "
                    "Verify the value of the property and retry.",
                    f"CmdletizationQuery_NotFound_{name},Get-NetIPAddress",
                    "ObjectNotFound",
                    "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
                    "Get-NetIPAddress",
                    wanted,
                )
            )
    return kept


def _addresses(node: SimulatedNode) -> list[_Address]:
    adapters = node.machine.network.adapters
    carrier = next((each for each in adapters if each.status == "Up" and not each.is_virtual), None)
    if carrier and carrier.switch_id:
        below = carrier.switch_id
        carrier = next((each for each in adapters if each.is_virtual and each.switch_id == below), None)
    found = [_Address("127.0.0.1", _LOOPBACK, 1, 8)]
    if carrier:
        found.insert(0, _Address(node.address, carrier.name, adapters.index(carrier) + 2, 24))
    return found


def _object(address: _Address) -> PsObject:
    is_ipv4 = address.family == "IPv4"
    return PsObject(
        _TYPES,
        {
            "InterfaceAlias": address.alias,
            "InterfaceIndex": UInt32(address.index),
            "IPAddress": address.text,
            "IPv4Address": address.text if is_ipv4 else None,
            "IPv6Address": None if is_ipv4 else address.text,
            "PrefixLength": address.prefix,
            "SkipAsSource": False,
            "PSComputerName": None,
        },
        {
            "ifIndex": UInt32(address.index),
            "AddressFamily": EnumValue(f"{_ENUM}.AddressFamily", address.family, _FAMILIES[address.family]),
        },
        f'{_CLASS} (InstanceID = "{address.text}")',
    )
