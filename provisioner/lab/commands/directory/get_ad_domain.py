"""Get-ADDomain: the domain of the machine."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.directory.domain import domain_of
from provisioner.lab.values import PsObject

_TYPE = "Microsoft.ActiveDirectory.Management.Commands.GetADDomain"


async def run(invocation: Invocation) -> None:
    """Write the domain."""
    domain = domain_of(invocation, "Get-ADDomain", _TYPE)
    controllers = [name if "." in name else f"{name}.{domain.name}" for name in domain.controllers]
    invocation.output.write(
        PsObject(
            (
                "Microsoft.ActiveDirectory.Management.ADDomain",
                "Microsoft.ActiveDirectory.Management.ADPartition",
                "System.Object",
            ),
            {
                "DNSRoot": domain.name,
                "Name": domain.name.partition(".")[0],
                "NetBIOSName": domain.netbios,
                "DistinguishedName": domain.root,
                "Forest": domain.name,
                "ComputersContainer": domain.default_container,
                "DomainControllersContainer": f"OU=Domain Controllers,{domain.root}",
                "UsersContainer": f"CN=Users,{domain.root}",
                "PDCEmulator": controllers[0] if controllers else None,
                "ReplicaDirectoryServers": controllers,
            },
            text=domain.root,
        )
    )
