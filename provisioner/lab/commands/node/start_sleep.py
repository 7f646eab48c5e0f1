"""Start-Sleep: waits simulated seconds."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation


async def run(invocation: Invocation) -> None:
    """Wait as long as Seconds or Milliseconds say."""
    parameters = invocation.parameters
    seconds = float(parameters.get("Seconds") or 0) + float(parameters.get("Milliseconds") or 0) / 1000
    await invocation.node.sleep(seconds)
