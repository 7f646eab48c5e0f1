"""Get-NetAdapterAdvancedProperty: properties of the drivers of adapters."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query
from provisioner.lab.machine.network.adapter_settings import AdapterSettings

CLASS = "MSFT_NetAdapterAdvancedPropertySettingData"


async def run(invocation: Invocation) -> None:
    """Write one object for each adapter and keyword."""
    machine = invocation.node.machine
    settings = machine.area(AdapterSettings)
    rows = [(item, found) for item in machine.network.adapters for found in settings.properties(item)]
    readers = {
        "Name": lambda row: row[0].name,
        "DisplayName": lambda row: row[1].display_name,
        "RegistryKeyword": lambda row: row[1].keyword,
    }
    for adapter, found in query(invocation, "Get-NetAdapterAdvancedProperty", CLASS, rows, readers):
        invocation.output.write(
            instance(
                CLASS,
                {
                    "Name": adapter.name,
                    "InterfaceDescription": adapter.description,
                    "DisplayName": found.display_name,
                    "DisplayValue": found.display_value,
                    "RegistryKeyword": found.keyword,
                    "RegistryValue": list(found.value),
                    "ValidRegistryValues": [value for value, _ in found.choices] or None,
                    "ValidDisplayValues": [text for _, text in found.choices] or None,
                },
                key=f"{adapter.guid}::{found.keyword}",
            )
        )
