"""Commands of the ActiveDirectory module, there with its feature; one line each."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK

_HERE: Final = "provisioner.lab.commands.directory"
_TYPES: Final = "Microsoft.ActiveDirectory.Management.Commands"
_TOOLS: Final = "RSAT-AD-PowerShell"
_SERVER: Final = Parameter("Server", "string")

COMMANDS: Final = (
    CommandSpec(
        "Get-ADComputer",
        f"{_HERE}.get_ad_computer:run",
        "ActiveDirectory",
        (
            Parameter("Identity", "string", 0),
            Parameter("Filter", "string"),
            Parameter("Properties", "array", aliases=("Property",)),
            Parameter("SearchBase", "string"),
            Parameter("Credential", "any"),
            _SERVER,
        ),
        _TOOLS,
        f"{_TYPES}.GetADComputer",
    ),
    CommandSpec(
        "Set-ADComputer",
        f"{_HERE}.set_ad_computer:run",
        "ActiveDirectory",
        (
            Parameter("Identity", "string", 0, mandatory=True),
            *(Parameter(name) for name in ("Add", "Remove", "Replace", "Enabled", "TrustedForDelegation")),
            *(Parameter(name, "string") for name in ("Description", "Location", "DisplayName")),
            Parameter("UserPrincipalName", "string"),
            Parameter("PrincipalsAllowedToDelegateToAccount", "array"),
            Parameter("Credential", "any"),
            _SERVER,
            *ASK,
        ),
        _TOOLS,
        f"{_TYPES}.SetADComputer",
    ),
    CommandSpec(
        "Set-ADAccountControl",
        f"{_HERE}.set_ad_account_control:run",
        "ActiveDirectory",
        (
            Parameter("Identity", "string", 0, mandatory=True),
            *(Parameter(name) for name in ("TrustedToAuthForDelegation", "TrustedForDelegation", "Enabled")),
            Parameter("Credential", "any"),
            _SERVER,
            *ASK,
        ),
        _TOOLS,
        f"{_TYPES}.SetADAccountControl",
    ),
    CommandSpec(
        "Get-ADDomain",
        f"{_HERE}.get_ad_domain:run",
        "ActiveDirectory",
        (Parameter("Credential", "any"), _SERVER),
        _TOOLS,
        f"{_TYPES}.GetADDomain",
    ),
)
