"""Get-SmbShare: shares by name; those for administrators too."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import query
from provisioner.lab.commands.computer.smb import CLASS, shown
from provisioner.lab.machine.computer.shares import Shares


async def run(invocation: Invocation) -> None:
    """Write the shares; a name that none has is an error."""
    rows = invocation.node.machine.area(Shares).shares
    if "Special" in invocation.parameters:
        rows = [item for item in rows if item.special == invocation.parameters["Special"]]
    for share in query(invocation, "Get-SmbShare", CLASS, rows, {"Name": lambda item: item.name}):
        invocation.output.write(shown(share))
