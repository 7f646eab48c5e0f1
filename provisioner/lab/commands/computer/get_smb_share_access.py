"""Get-SmbShareAccess: who may use a share."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import query
from provisioner.lab.commands.computer.smb import CLASS, shown_access
from provisioner.lab.machine.computer.shares import Shares


async def run(invocation: Invocation) -> None:
    """Write the entries of the shares that were named."""
    rows = invocation.node.machine.area(Shares).shares
    for share in query(invocation, "Get-SmbShareAccess", CLASS, rows, {"Name": lambda item: item.name}):
        for item in share.access:
            invocation.output.write(shown_access(share, item))
