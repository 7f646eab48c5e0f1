"""Remove-SmbShare: end the sharing of folders."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act, query
from provisioner.lab.commands.computer.smb import CLASS
from provisioner.lab.machine.computer.shares import Shares


async def run(invocation: Invocation) -> None:
    """Remove the shares that were named."""
    shares = invocation.node.machine.area(Shares)
    found = query(invocation, "Remove-SmbShare", CLASS, shares.shares, {"Name": lambda item: item.name})
    for share in found:
        act(invocation, "Remove-SmbShare", partial(shares.remove, share.name), share.name)
