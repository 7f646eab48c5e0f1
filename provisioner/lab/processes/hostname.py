"""hostname.exe: the name of the computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from provisioner.lab.processes.base import ProcessCall, ProcessOutput
    from provisioner.lab.simulated_node import SimulatedNode


async def run(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Write the name; hostname takes no arguments."""
    if call.arguments:
        output.stderr(call.encode("sethostname: Use the Network Control Panel Applet to set hostname.\r\n"))
        return 1
    output.stdout(call.encode(f"{node.machine.computer_name}\r\n"))
    return 0
