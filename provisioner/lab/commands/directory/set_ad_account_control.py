"""Set-ADAccountControl: what a computer account may delegate, and whether it is enabled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.directory.domain import computer_of, domain_of
from provisioner.lab.machine.directory.domains import Directory

_CMDLET: Final = "Set-ADAccountControl"
_TYPE: Final = "Microsoft.ActiveDirectory.Management.Commands.SetADAccountControl"
_FLAGS: Final = {
    "TrustedToAuthForDelegation": "protocol_transition",
    "TrustedForDelegation": "trusted",
    "Enabled": "enabled",
}


async def run(invocation: Invocation) -> None:
    """Set the flags that are given."""
    domain = domain_of(invocation, _CMDLET, _TYPE)
    found = computer_of(invocation, domain, _CMDLET, _TYPE)
    changes: dict[str, Any] = {
        field: bool(invocation.parameters[name])
        for name, field in _FLAGS.items()
        if name in invocation.parameters
    }
    invocation.node.machine.world.area(Directory).put_computer(domain, replace(found, **changes))
