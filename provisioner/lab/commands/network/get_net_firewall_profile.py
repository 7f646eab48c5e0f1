"""Get-NetFirewallProfile: the profiles of the firewall."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import instance, query
from provisioner.lab.commands.failure import record
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.network.firewall import Firewall
from provisioner.lab.values import TerminatingError

_CMDLET = "Get-NetFirewallProfile"
CLASS = "MSFT_NetFirewallProfile"


async def run(invocation: Invocation) -> None:
    """Write the profiles that were named, or all three."""
    try:
        profiles = invocation.node.machine.area(Firewall).profiles()
    except MachineError as error:
        raise TerminatingError(record(error, _CMDLET, _CMDLET, CLASS)) from None
    rows = list(profiles.items())
    for name, values in query(invocation, _CMDLET, CLASS, rows, {"Name": lambda row: row[0]}):
        invocation.output.write(instance(CLASS, {"Name": name, "Profile": name, **values}, key=name))
