"""Get-NetAdapterBinding: what is bound to adapters."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query
from provisioner.lab.machine.network.adapter_settings import AdapterSettings

CLASS = "MSFT_NetAdapterBindingSettingData"


async def run(invocation: Invocation) -> None:
    """Write one object for each adapter and component."""
    machine = invocation.node.machine
    settings = machine.area(AdapterSettings)
    rows = [(item, found) for item in machine.network.adapters for found in settings.bindings(item)]
    readers = {
        "Name": lambda row: row[0].name,
        "ComponentID": lambda row: row[1][0],
        "DisplayName": lambda row: row[1][1],
    }
    for adapter, (component, display, is_on) in query(
        invocation, "Get-NetAdapterBinding", CLASS, rows, readers
    ):
        invocation.output.write(
            instance(
                CLASS,
                {
                    "Name": adapter.name,
                    "InterfaceAlias": adapter.name,
                    "InterfaceDescription": adapter.description,
                    "ComponentID": component,
                    "DisplayName": display,
                    "Enabled": is_on,
                },
                key=f"{adapter.guid}::{component}",
            )
        )
