"""Commands of the ActiveDirectory module, there with its feature; one line each."""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import CommandSpec, Parameter

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
        "Get-ADDomain",
        f"{_HERE}.get_ad_domain:run",
        "ActiveDirectory",
        (Parameter("Credential", "any"), _SERVER),
        _TOOLS,
        f"{_TYPES}.GetADDomain",
    ),
)
