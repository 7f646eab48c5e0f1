"""Write-Output, Out-Null and the commands that write to one of the other streams."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.console.formatting import text_of
from provisioner.lab.values import ErrorRecord, InformationRecord


async def run(invocation: Invocation) -> None:
    """Write-Output: the given values, one by one, or what comes in."""
    if "InputObject" not in invocation.parameters:
        async for value in invocation.input:
            invocation.output.write(value)
        return
    given = invocation.parameters["InputObject"]
    for value in (
        given if isinstance(given, list) and not invocation.parameters.get("NoEnumerate") else [given]
    ):
        invocation.output.write(value)


async def nothing(invocation: Invocation) -> None:
    """Out-Null: take all and write none."""
    async for _ in invocation.input:
        pass


async def error(invocation: Invocation) -> None:
    """Write-Error: a non-terminating error of the caller's own."""
    parameters = invocation.parameters
    category = text_of(parameters.get("Category") or "NotSpecified")
    invocation.output.error(
        ErrorRecord(
            text_of(parameters.get("Message")),
            str(parameters.get("ErrorId") or "Microsoft.PowerShell.Commands.WriteErrorException"),
            category,
            "Microsoft.PowerShell.Commands.WriteErrorException",
            "Write-Error",
            parameters.get("TargetObject"),
        )
    )


async def warning(invocation: Invocation) -> None:
    """Write-Warning."""
    invocation.output.warning(text_of(invocation.parameters.get("Message")))


async def verbose(invocation: Invocation) -> None:
    """Write-Verbose; seen only with -Verbose."""
    invocation.output.verbose(text_of(invocation.parameters.get("Message")))


async def debug(invocation: Invocation) -> None:
    """Write-Debug; seen only with -Debug."""
    invocation.output.debug(text_of(invocation.parameters.get("Message")))


async def information(invocation: Invocation) -> None:
    """Write-Information: any value, and tags."""
    tags = invocation.parameters.get("Tags") or []
    invocation.output.information(
        InformationRecord(
            invocation.parameters.get("MessageData"),
            "Write-Information",
            invocation.node.now(),
            invocation.user,
            invocation.node.computer_name,
            tuple(text_of(tag) for tag in (tags if isinstance(tags, list) else [tags])),
        )
    )
