"""Set-NetAdapterAdvancedProperty: set a property of a driver; the adapter restarts."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.network.adapters import chosen
from provisioner.lab.machine.network.adapter_settings import AdapterSettings

_CMDLET = "Set-NetAdapterAdvancedProperty"


async def run(invocation: Invocation) -> None:
    """Set the registry value."""
    settings = invocation.node.machine.area(AdapterSettings)
    value = " ".join(texts(invocation.parameters.get("RegistryValue")))
    for adapter in chosen(invocation, _CMDLET):
        for keyword in texts(invocation.parameters.get("RegistryKeyword")):
            act(invocation, _CMDLET, partial(settings.set_property, adapter, keyword, value), keyword)
