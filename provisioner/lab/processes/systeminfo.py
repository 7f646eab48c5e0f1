"""systeminfo: what the machine is. Only lines whose values the node has; Windows writes more of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from provisioner.lab.processes.base import ProcessCall, ProcessOutput

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode

_COLUMN: Final = 27


async def run(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Write the list; options (another machine, another format) are refused."""
    if call.arguments:
        output.stderr(call.encode("ERROR: this node is simulated; its systeminfo takes no options.\r\n"))
        return 1
    machine = node.machine
    booted = machine.boot_time
    clock = f"{booted.hour % 12 or 12}:{booted:%M:%S %p}"
    lines = {
        "Host Name": machine.computer_name,
        "OS Name": f"Microsoft Windows Server {machine.release} Standard",
        "OS Version": f"10.0.{machine.build} N/A Build {machine.build}",
        "OS Manufacturer": "Microsoft Corporation",
        "OS Build Type": "Multiprocessor Free",
        "System Boot Time": f"{booted.month}/{booted.day}/{booted.year}, {clock}",
        "System Type": "x64-based PC",
        "Windows Directory": "C:\\Windows",
        "System Directory": "C:\\Windows\\system32",
    }
    text = "".join(f"{f'{name}:':<{_COLUMN}}{value}\r\n" for name, value in lines.items())
    output.stdout(call.encode(f"\r\n{text}"))
    return 0
