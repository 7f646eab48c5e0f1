"""Set-NetIPInterface: DHCP, metric, size of packets and forwarding of an interface."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.failure import texts
from provisioner.lab.commands.network.addresses import FAMILIES, alias_of
from provisioner.lab.machine.network.ip import Ip

_CMDLET = "Set-NetIPInterface"
_SWITCHES = {"Dhcp": "dhcp", "Forwarding": "forwarding", "AutomaticMetric": "automatic_metric"}
_NUMBERS = {"InterfaceMetric": "metric", "NlMtuBytes": "mtu"}


async def run(invocation: Invocation) -> None:
    """Set what is given, for one family or both."""
    parameters = invocation.parameters
    changes: dict[str, Any] = {
        field: str(parameters[name]).casefold() == "enabled"
        for name, field in _SWITCHES.items()
        if name in parameters
    }
    changes |= {field: int(parameters[name]) for name, field in _NUMBERS.items() if name in parameters}
    ip = invocation.node.machine.area(Ip)
    alias = alias_of(invocation) or ""
    wanted = {item.casefold() for item in texts(parameters.get("AddressFamily"))}
    for family in FAMILIES:
        if wanted and family.casefold() not in wanted:
            continue
        if not act(invocation, _CMDLET, partial(ip.set_interface, alias, family, **changes), alias):
            return
