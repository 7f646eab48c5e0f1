"""Grant-, Revoke-, Block- and Unblock-SmbShareAccess: who may use a share."""

from __future__ import annotations

from functools import partial

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act, query
from provisioner.lab.commands.computer.smb import CLASS, shown_access
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.computer.shares import Shares


async def _change(cmdlet: str, invocation: Invocation) -> None:
    """Change the entries of the accounts, and write all that the share has then."""
    shares = invocation.node.machine.area(Shares)
    right = str(invocation.parameters.get("AccessRight", "Read")).capitalize()
    acts = {
        "Grant-SmbShareAccess": lambda name, account: shares.grant(name, account, right),
        "Revoke-SmbShareAccess": shares.revoke,
        "Block-SmbShareAccess": shares.block,
        "Unblock-SmbShareAccess": shares.unblock,
    }
    for share in query(invocation, cmdlet, CLASS, shares.shares, {"Name": lambda item: item.name}):
        for account in texts(invocation.parameters.get("AccountName")):
            if not act(invocation, cmdlet, partial(acts[cmdlet], share.name, account), account):
                return
        changed = shares.find(share.name)
        for item in changed.access if changed else ():
            invocation.output.write(shown_access(share, item))


run_grant = partial(_change, "Grant-SmbShareAccess")
run_revoke = partial(_change, "Revoke-SmbShareAccess")
run_block = partial(_change, "Block-SmbShareAccess")
run_unblock = partial(_change, "Unblock-SmbShareAccess")
