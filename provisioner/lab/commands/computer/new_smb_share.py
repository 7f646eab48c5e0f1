"""New-SmbShare: share a folder; without an account everyone may read."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.cim_objects import act
from provisioner.lab.commands.computer.smb import CLASS, shown
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.computer.shares import Access, Share, Shares

_RIGHTS = {"FullAccess": "Full", "ChangeAccess": "Change", "ReadAccess": "Read"}


async def run(invocation: Invocation) -> None:
    """Write the new share."""
    parameters = invocation.parameters
    shares = invocation.node.machine.area(Shares)
    access = [
        Access(account, "Allow", right)
        for name, right in _RIGHTS.items()
        for account in texts(parameters.get(name))
    ]
    access += [Access(account, "Deny", "Full") for account in texts(parameters.get("NoAccess"))]
    share = Share(str(parameters["Name"]), str(parameters["Path"]), str(parameters.get("Description", "")))
    if access:
        share = Share(share.name, share.path, share.description, access=tuple(access))
    if act(invocation, "New-SmbShare", lambda: shares.add(share), CLASS):
        made = shares.find(share.name)
        if made:
            invocation.output.write(shown(made))
