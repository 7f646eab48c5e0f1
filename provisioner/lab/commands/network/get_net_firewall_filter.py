"""Get-NetFirewallPortFilter and its siblings: the filters of the rules that come down the pipeline, or of all."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import piped, value_of
from provisioner.lab.commands.network.firewall_rules import all_rules, shown_filter


async def _run(kind: str, invocation: Invocation) -> None:
    objects = await piped(invocation, "AssociatedNetFirewallRule")
    wanted = {str(value_of(item, "Name")).casefold() for item in objects}
    for rule in all_rules(invocation, f"Get-NetFirewall{kind}"):
        if not objects or rule["Name"].casefold() in wanted:
            invocation.output.write(shown_filter(rule, kind))


run_port = partial(_run, "PortFilter")
run_address = partial(_run, "AddressFilter")
run_application = partial(_run, "ApplicationFilter")
run_service = partial(_run, "ServiceFilter")
run_interface = partial(_run, "InterfaceFilter")
run_interface_type = partial(_run, "InterfaceTypeFilter")
run_security = partial(_run, "SecurityFilter")
