"""whoami.exe: the account a program runs as."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.lab.processes.base import ProcessCall, ProcessOutput
    from provisioner.lab.simulated_node import SimulatedNode


async def run(_node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Write the account in lower case, as whoami does. Its lists of groups and privileges are not simulated."""
    if call.arguments:
        output.stderr(call.encode("The lab simulates whoami without arguments only.\r\n"))
        return 1
    output.stdout(call.encode(f"{call.user.lower()}\r\n"))
    return 0
