"""Restart-Computer: restarts the node it runs on. Without -Force it fails while users are logged on; nobody is."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.values import ErrorRecord

_LOCAL = frozenset({".", "localhost", "127.0.0.1"})


async def run(invocation: Invocation) -> None:
    """Begin the restart and return before the node goes down."""
    if invocation.parameters.get("WhatIf"):
        return
    node = invocation.node
    for name in invocation.parameters.get("ComputerName") or ["localhost"]:
        if str(name).casefold() in _LOCAL | {node.computer_name.casefold()}:
            node.restart()
        else:
            invocation.output.error(
                ErrorRecord(
                    f"Failed to restart the computer {name} with the following error message: The RPC server is "
                    "unavailable. (Exception from HRESULT: 0x800706BA).",
                    "RestartcomputerFailed,Microsoft.PowerShell.Commands.RestartComputerCommand",
                    "OperationStopped",
                    "System.InvalidOperationException",
                    "Restart-Computer",
                    str(name),
                )
            )
