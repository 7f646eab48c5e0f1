"""The domain a command of the ActiveDirectory module asks: that of the machine, or of -Server."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.directory.domains import Directory, DirectoryComputer, Domain
from provisioner.lab.values import ErrorRecord, TerminatingError

_NOT_FOUND = "Microsoft.ActiveDirectory.Management.ADIdentityNotFoundException"
_NO_SERVER = "Microsoft.ActiveDirectory.Management.ADServerDownException"


def domain_of(invocation: Invocation, cmdlet: str, type_name: str) -> Domain:
    """Give the domain.

    Raises:
        TerminatingError: none can be reached.
    """
    machine = invocation.node.machine
    directory = machine.world.area(Directory)
    server = str(invocation.parameters.get("Server") or "")
    for name in (server, server.partition(".")[2], "" if server else machine.area(Identity).domain):
        try:
            if name:
                return directory.reach(name)
        except MachineError:
            continue
    raise TerminatingError(
        ErrorRecord(
            "Unable to contact the server. This may be because this server does not exist, it is currently down, "
            "or it does not have the Active Directory Web Services running.",
            f"ActiveDirectoryServer:1722,{type_name}",
            "ResourceUnavailable",
            _NO_SERVER,
            cmdlet,
            server,
        )
    )


def computer_of(invocation: Invocation, domain: Domain, cmdlet: str, type_name: str) -> DirectoryComputer:
    """Give the computer object that -Identity names: by name, account name or distinguished name.

    Raises:
        TerminatingError: there is none.
    """
    identity = str(invocation.parameters["Identity"])
    wanted = identity.rstrip("$").casefold()
    for item in domain.computers.values():
        if wanted in {item.name.casefold(), item.dn.casefold()}:
            return item
    raise TerminatingError(
        ErrorRecord(
            f"Cannot find an object with identity: '{identity}' under: '{domain.root}'.",
            f"ActiveDirectoryCmdlet:{_NOT_FOUND},{type_name}",
            "ObjectNotFound",
            _NOT_FOUND,
            cmdlet,
            identity,
        )
    )
