"""Parameters and names that the tables of commands share.

Names, aliases and positions of parameters are those of the Windows modules; parameters that change nothing here
are accepted where a script would give them (-Force, -Confirm).
"""

from __future__ import annotations

from typing import Final

from provisioner.lab.commands.base import Parameter

MANAGEMENT: Final = "Microsoft.PowerShell.Management"
CMDLETS: Final = "Microsoft.PowerShell.Commands"
COMPUTER: Final = Parameter("ComputerName", "array", aliases=("Cn",))
FORCE: Final = Parameter("Force", "switch")
ASK: Final = (
    Parameter("WhatIf", "switch", aliases=("wi",)),
    Parameter("Confirm", "switch", aliases=("cf",)),
)
PATH: Final = (
    Parameter("Path", "array", 0),
    Parameter("LiteralPath", "array", aliases=("PSPath",)),
)
FILTERS: Final = (
    Parameter("Filter", "string"),
    Parameter("Include", "array"),
    Parameter("Exclude", "array"),
    FORCE,
)
