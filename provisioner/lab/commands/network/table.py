"""Commands of network adapters and addresses, one line each."""

from __future__ import annotations

from provisioner.lab.commands.base import CommandSpec, Parameter

_HERE = "provisioner.lab.commands.network"

COMMANDS = (
    CommandSpec(
        "Get-NetAdapter",
        f"{_HERE}.get_net_adapter:run",
        "NetAdapter",
        (
            Parameter("Name", "array", 0, aliases=("ifAlias", "InterfaceAlias")),
            Parameter("InterfaceDescription", "array", aliases=("ifDesc",)),
            Parameter("IncludeHidden", "switch"),
            Parameter("Physical", "switch"),
        ),
    ),
    CommandSpec(
        "Get-NetIPAddress",
        f"{_HERE}.get_net_ip_address:run",
        "NetTCPIP",
        (
            Parameter("IPAddress", "array", 0, aliases=("LocalAddress",)),
            Parameter("InterfaceAlias", "array", aliases=("ifAlias",)),
            Parameter("AddressFamily", "array"),
        ),
    ),
)
