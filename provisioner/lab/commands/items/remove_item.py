"""Remove-Item: remove files, folders and registry keys."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items import paths
from provisioner.lab.values import ErrorRecord

TYPE = "Microsoft.PowerShell.Commands.RemoveItemCommand"


async def run(invocation: Invocation) -> None:
    """Remove the items; what has children needs -Recurse, since nobody is there to confirm."""
    machine = invocation.node.machine
    is_deep = bool(invocation.parameters.get("Recurse"))
    async for item in paths.items(invocation, TYPE, "Remove-Item"):
        if isinstance(item, paths.RegistryKey):
            has_children = bool(machine.registry.subkeys(item.path))
        else:
            has_children = item.is_folder and bool(machine.files.children(item.path))
        if has_children and not is_deep:
            invocation.output.error(_refused(item))
        elif isinstance(item, paths.RegistryKey):
            machine.registry.delete_key(item.path)
        else:
            machine.files.remove(item.path)


def _refused(item: paths.Item) -> ErrorRecord:
    shown = item.full_name if isinstance(item, paths.RegistryKey) else item.path
    return ErrorRecord(
        "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
        f"InvalidOperation,{TYPE}",
        "InvalidOperation",
        "System.Management.Automation.PSInvalidOperationException",
        "Remove-Item",
        shown,
    )
