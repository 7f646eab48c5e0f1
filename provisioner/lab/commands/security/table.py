"""Commands of Defender, WinRM and the Host Guardian Service's client, one line each."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter
from provisioner.lab.commands.parameters import ASK

_HERE = "provisioner.lab.commands.security.settings"
_GUARDIAN = "provisioner.lab.commands.security.host_guardian"

COMMANDS = (
    CommandSpec("Get-MpPreference", f"{_HERE}:get_mp_preference", "Defender", feature="Windows-Defender"),
    CommandSpec("Get-HgsClientConfiguration", f"{_GUARDIAN}:get", "HgsClient", feature="HostGuardian"),
    CommandSpec(
        "Set-HgsClientConfiguration",
        f"{_GUARDIAN}:change",
        "HgsClient",
        (
            Parameter("EnableLocalMode", "switch"),
            Parameter("AttestationServerUrl", "string"),
            Parameter("KeyProtectionServerUrl", "string"),
            *ASK,
        ),
        feature="HostGuardian",
    ),
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
