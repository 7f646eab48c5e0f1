"""Whether a resource can run as another user: PsDscRunAsCredential is a PowerShell session to the node itself.

So the node needs an HTTP listener, and the user must be one who can log on. Source: credential facts 3.5; the
failures are those seen where only HTTPS listens or the user may not open a session.
"""

from __future__ import annotations

from typing import Final

from provisioner.lab.lcm.documents.document import RunAs
from provisioner.lab.lcm.host import LcmHost
from provisioner.lab.machine.area import MachineError
from provisioner.lab.resources.base import ResourceError

SESSION_FAILED: Final = "RemoteRunspaceCreationFailed"
_EXCEPTION: Final = "System.Management.Automation.Remoting.PSRemotingTransportException"
_SEALED: Final = "-----BEGIN CMS-----"
_LOCAL_NAMES: Final = frozenset({".", "localhost", "builtin"})


def demand_session(run_as: RunAs, host: LcmHost) -> None:
    """Open and close the session a resource would run in.

    Raises:
        ResourceError: the session cannot be opened; the words are those of PowerShell remoting.
    """
    if not host.has_http_listener:
        raise _refused(
            "The client cannot connect to the destination specified in the request. Verify that the service on "
            "the destination is running and is accepting requests.",
            "OpenError",
        )
    # A password nobody decrypted is the literal text of the message, and no account's.
    if _SEALED in run_as.password or not _is_account(run_as.user_name, host):
        raise _refused("Access is denied.", "PermissionDenied")


def _is_account(user_name: str, host: LcmHost) -> bool:
    """Tell whether a local account exists; of accounts of a domain the node knows nothing, so they pass."""
    domain, _, name = user_name.rpartition("\\")
    if "@" in name or (domain and domain.casefold() not in _LOCAL_NAMES | {host.computer_name.casefold()}):
        return True
    try:
        host.machine.accounts.sid(name)
    except MachineError:
        return False
    return True


def _refused(why: str, category: str) -> ResourceError:
    return ResourceError(
        f"Connecting to remote server localhost failed with the following error message : {why} For more "
        "information, see the about_Remote_Troubleshooting Help topic.",
        SESSION_FAILED,
        category,
        _EXCEPTION,
    )
