"""Commands of Defender and WinRM, one line each."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter

_HERE = "provisioner.lab.commands.security.settings"

COMMANDS = (
    CommandSpec("Get-MpPreference", f"{_HERE}:get_mp_preference", "Defender", feature="Windows-Defender"),
    CommandSpec(
        "Get-WSManInstance",
        f"{_HERE}:get_wsman_instance",
        "Microsoft.WSMan.Management",
        (
            Parameter("ResourceURI", "string", 0, mandatory=True, aliases=("ruri",)),
            Parameter("Enumerate", "switch"),
            Parameter("SelectorSet"),
            Parameter("ComputerName", "string"),
        ),
        type_name="Microsoft.WSMan.Management.GetWSManInstanceCommand",
    ),
)
