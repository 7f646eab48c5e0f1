"""Out-String: what a console would show, as one text or, with -Stream, line by line."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.console.formatting import lines_of


async def run(invocation: Invocation) -> None:
    """Write the text of everything that comes in."""
    given = invocation.parameters.get("InputObject")
    values = [given] if given is not None else [value async for value in invocation.input]
    lines = lines_of(values)
    if invocation.parameters.get("Stream"):
        for line in lines:
            invocation.output.write(line)
        return
    invocation.output.write("".join(f"{line}\r\n" for line in lines))
