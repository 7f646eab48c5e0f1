"""Get-NetAdapter: network adapters by name or InterfaceDescription."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.network import Adapter
from provisioner.lab.values import ErrorRecord, PsObject, UInt32

_CLASS = "MSFT_NetAdapter"
_PREFIX = "Microsoft.Management.Infrastructure.CimInstance"
_TYPES = (
    f"{_PREFIX}#ROOT/StandardCimv2/{_CLASS}",
    f"{_PREFIX}#{_CLASS}",
    _PREFIX,
    "System.Object",
)
_UP, _DOWN = 1, 2


async def run(invocation: Invocation) -> None:
    """Write the adapters; a name or description that nothing has is an error."""
    adapters = invocation.node.machine.network.adapters
    numbered = list(enumerate(adapters, 2))
    if invocation.parameters.get("Physical"):
        numbered = [(number, item) for number, item in numbered if not item.is_virtual]
    conditions: list[tuple[str, str, Callable[[Adapter], str]]] = [
        ("Name", name, lambda item: item.name) for name in texts(invocation.parameters.get("Name"))
    ]
    conditions.extend(
        ("InterfaceDescription", name, lambda item: item.description)
        for name in texts(invocation.parameters.get("InterfaceDescription"))
    )
    for key, wanted, read in conditions or [("Name", "*", lambda item: item.name)]:
        chosen = [
            (number, item)
            for number, item in numbered
            if fnmatch.fnmatchcase(read(item).casefold(), wanted.casefold())
        ]
        for number, item in chosen:
            invocation.output.write(_object(item, number))
        if not chosen and not any(char in wanted for char in "*?["):
            invocation.output.error(
                ErrorRecord(
                    f"No {_CLASS} objects found with property '{key}' equal to '{wanted}'.  "
                    "Verify the value of the property and retry.",
                    f"CmdletizationQuery_NotFound_{key},Get-NetAdapter",
                    "ObjectNotFound",
                    "Microsoft.PowerShell.Cmdletization.Cim.CimJobException",
                    "Get-NetAdapter",
                    wanted,
                )
            )


def _object(adapter: Adapter, number: int) -> PsObject:
    is_up = adapter.status == "Up"
    return PsObject(
        _TYPES,
        {
            "Name": adapter.name,
            "ifAlias": adapter.name,
            "InterfaceAlias": adapter.name,
            "InterfaceDescription": adapter.description,
            "ifDesc": adapter.description,
            "InterfaceGuid": adapter.guid,
            "InterfaceIndex": UInt32(number),
            "ifIndex": UInt32(number),
            "PermanentAddress": adapter.mac.replace("-", ""),
            "Virtual": adapter.is_virtual,
            "ConnectorPresent": not adapter.is_virtual,
            "InterfaceOperationalStatus": UInt32(_UP if is_up else _DOWN),
            "PSComputerName": None,
        },
        {
            "Status": adapter.status,
            "MacAddress": adapter.mac,
            "LinkSpeed": "1 Gbps" if is_up else "0 bps",
            "MediaType": "802.3",
        },
        f'{_CLASS} (InstanceID = "{adapter.guid}")',
    )
