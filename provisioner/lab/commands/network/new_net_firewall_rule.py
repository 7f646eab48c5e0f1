"""New-NetFirewallRule: make a rule of the firewall."""

from __future__ import annotations

import uuid

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.network.firewall_rules import CLASS, given, shown
from provisioner.lab.machine.network.firewall import Firewall


async def run(invocation: Invocation) -> None:
    """Write the new rule; without a name it gets a GUID."""
    parameters = invocation.parameters
    firewall = invocation.node.machine.area(Firewall)
    name = str(parameters.get("Name") or f"{{{uuid.uuid4()}}}")
    values = {"Name": name, "DisplayName": str(parameters["DisplayName"]), **given(invocation)}
    if parameters.get("Group"):
        values |= {"Group": str(parameters["Group"]), "DisplayGroup": str(parameters["Group"])}
    if act(invocation, "New-NetFirewallRule", lambda: firewall.add(values), CLASS):
        for rule in firewall.find(name):
            invocation.output.write(shown(rule))
