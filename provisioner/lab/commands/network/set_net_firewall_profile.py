"""Set-NetFirewallProfile: change profiles of the firewall."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.network.firewall import Firewall

_WHO = frozenset({"Name", "All", "PassThru"})
_PROFILES = ("Domain", "Private", "Public")


async def run(invocation: Invocation) -> None:
    """Set what is given on the profiles that are named, or on all."""
    firewall = invocation.node.machine.area(Firewall)
    values = {name: value for name, value in invocation.parameters.items() if name not in _WHO}
    shown = {
        name: value if isinstance(value, list | int) and not isinstance(value, bool) else str(value)
        for name, value in values.items()
    }
    for name in texts(invocation.parameters.get("Name")) or _PROFILES:
        act(invocation, "Set-NetFirewallProfile", partial(firewall.change_profile, name, shown), name)
