"""Adapters as commands show and choose them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act, instance, piped, query, value_of
from provisioner.lab.machine.ground.network import Adapter
from provisioner.lab.values import PsObject, UInt32

CLASS: Final = "MSFT_NetAdapter"
_UP, _DOWN = 1, 2


def shown(invocation: Invocation, adapter: Adapter) -> PsObject:
    """Make the object of an adapter."""
    is_up = adapter.status == "Up"
    index = UInt32(invocation.node.machine.network.index_of(adapter))
    return instance(
        CLASS,
        {
            "Name": adapter.name,
            "ifAlias": adapter.name,
            "InterfaceAlias": adapter.name,
            "InterfaceDescription": adapter.description,
            "ifDesc": adapter.description,
            "InterfaceGuid": adapter.guid,
            "InterfaceIndex": index,
            "ifIndex": index,
            "PermanentAddress": adapter.mac.replace("-", ""),
            "DriverDescription": adapter.driver_description,
            "Virtual": not adapter.is_nic,
            "ConnectorPresent": adapter.is_nic,
            "InterfaceOperationalStatus": UInt32(_UP if is_up else _DOWN),
        },
        {
            "Status": adapter.status,
            "MacAddress": adapter.mac,
            "LinkSpeed": "1 Gbps" if is_up else "0 bps",
            "MediaType": adapter.media,
            "PhysicalMediaType": adapter.media if adapter.is_nic else "Unspecified",
            "AdminStatus": "Down" if adapter.status == "Disabled" else "Up",
        },
        key=adapter.guid,
    )


def chosen(invocation: Invocation, cmdlet: str) -> list[Adapter]:
    """Give the adapters that the parameters Name, InterfaceDescription and InterfaceIndex choose."""
    network = invocation.node.machine.network
    return query(
        invocation,
        cmdlet,
        CLASS,
        network.adapters,
        {
            "Name": lambda item: item.name,
            "InterfaceDescription": lambda item: item.description,
            "InterfaceIndex": network.index_of,
        },
    )


async def each(invocation: Invocation, cmdlet: str, action: Callable[[Adapter], None]) -> None:
    """Do something with every adapter that was chosen or piped in, and show it if asked."""
    network = invocation.node.machine.network
    if {"Name", "InterfaceDescription", "InterfaceIndex"} & invocation.parameters.keys():
        found = chosen(invocation, cmdlet)
    else:
        names = [value_of(item, "Name") for item in await piped(invocation)]
        found = [item for name in names if name and (item := network.find(str(name)))]
    for adapter in found:
        guid = adapter.guid
        worked = act(invocation, cmdlet, partial(action, adapter), adapter.name)
        if worked and invocation.parameters.get("PassThru"):
            changed = next(item for item in network.adapters if item.guid == guid)
            invocation.output.write(shown(invocation, changed))
