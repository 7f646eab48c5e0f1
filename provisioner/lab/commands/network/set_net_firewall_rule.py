"""Set-NetFirewallRule, Enable- and Disable-NetFirewallRule: change rules of the firewall."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.network.firewall_rules import given, meant, shown
from provisioner.lab.machine.network.firewall import Firewall


async def run(invocation: Invocation) -> None:
    """Change what is given."""
    values = given(invocation)
    if "NewDisplayName" in invocation.parameters:
        values["DisplayName"] = str(invocation.parameters["NewDisplayName"])
    await _change("Set-NetFirewallRule", values, invocation)


async def _change(cmdlet: str, values: dict[str, Any], invocation: Invocation) -> None:
    firewall = invocation.node.machine.area(Firewall)
    for rule in await meant(invocation, cmdlet):
        worked = act(invocation, cmdlet, partial(firewall.change, rule["Name"], values), rule["Name"])
        if worked and invocation.parameters.get("PassThru"):
            for changed in firewall.find(rule["Name"]):
                invocation.output.write(shown(changed))


run_enable = partial(_change, "Enable-NetFirewallRule", {"Enabled": "True"})
run_disable = partial(_change, "Disable-NetFirewallRule", {"Enabled": "False"})
