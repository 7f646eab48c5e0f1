"""Enable- and Disable-NetAdapterBinding: bind components to adapters, or take them off."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.network.adapters import chosen
from provisioner.lab.machine.network.adapter_settings import AdapterSettings


async def _set(cmdlet: str, invocation: Invocation) -> None:
    settings = invocation.node.machine.area(AdapterSettings)
    enabled = cmdlet.startswith("Enable")
    for adapter in chosen(invocation, cmdlet):
        for component in texts(invocation.parameters.get("ComponentID")):
            act(invocation, cmdlet, partial(settings.bind, adapter, component, enabled=enabled), component)


run_enable = partial(_set, "Enable-NetAdapterBinding")
run_disable = partial(_set, "Disable-NetAdapterBinding")
