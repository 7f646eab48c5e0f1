"""Starts programs: what a shell or a service of a node runs when a client asks for a command line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provisioner.lab.processes.base import NoSuchProgramError, ProcessCall, ProcessOutput, split_arguments
from provisioner.lab.processes.table import find

if TYPE_CHECKING:
    from provisioner.lab.simulated_node import SimulatedNode


async def run_process(node: SimulatedNode, call: ProcessCall, output: ProcessOutput) -> int:
    """Run a command line to its end and return the exit code.

    Raises:
        NoSuchProgramError: There is no such program, and cmd.exe is not there to say so.
    """
    words = split_arguments(call.command_line)
    program = find(words[0]) if words else None
    if program is None:
        raise NoSuchProgramError(words[0] if words else "")
    return await program(node, replace(call, arguments=words[1:]), output)
