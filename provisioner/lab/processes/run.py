"""Starts programs: what a shell or a service of a node runs when a client asks for a command line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.lab.processes.base import NoSuchProgramError, ProcessCall, ProcessOutput, split_arguments
from provisioner.lab.processes.cmd import run_line
from provisioner.lab.processes.environment import complete
from provisioner.lab.processes.table import find

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode


async def run_process(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Run a command line to its end and return the exit code.

    Through cmd.exe a program that is not there is said so on standard error, and the exit code is 1; a batch file
    goes on after it with ERRORLEVEL 9009.

    Raises:
        NoSuchProgramError: There is no such program, and cmd.exe is not there to say so.
    """
    call = complete(node, call)
    name = "cmd.exe"
    if call.uses_cmd:
        exit_code = await run_line(node, call, call.command_line, output)
    else:
        words = split_arguments(call.command_line)
        program = find(words[0]) if words else None
        if program is None:
            raise NoSuchProgramError(words[0] if words else "")
        name = words[0].replace("/", "\\").rpartition("\\")[2]
        exit_code = await program(node, replace(call, arguments=words[1:]), output)
    node.after_command(name, {})
    return exit_code
