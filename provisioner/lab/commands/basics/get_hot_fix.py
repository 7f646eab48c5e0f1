"""Get-HotFix: updates as Win32_QuickFixEngineering lists them."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.security.hotfixes import Hotfixes
from provisioner.lab.values import ErrorRecord, PsObject

TYPE = "Microsoft.PowerShell.Commands.GetHotFixCommand"
_TYPES = (
    r"System.Management.ManagementObject#root\cimv2\Win32_QuickFixEngineering",
    "System.Management.ManagementObject",
    "System.Management.ManagementBaseObject",
    "System.ComponentModel.Component",
    "System.MarshalByRefObject",
    "System.Object",
)


async def run(invocation: Invocation) -> None:
    """Write one object for each update; one that was asked for by number and is not there is an error."""
    machine = invocation.node.machine
    known = [f"KB{number}" for number in machine.area(Hotfixes).listed()]
    wanted = texts(invocation.parameters.get("Id"))
    for name in known:
        if not wanted or name.casefold() in {item.casefold() for item in wanted}:
            values = {
                "CSName": machine.computer_name,
                "Description": "Update",
                "HotFixID": name,
                "InstalledBy": r"NT AUTHORITY\SYSTEM",
                "InstalledOn": machine.boot_time,
            }
            invocation.output.write(PsObject(_TYPES, values, {"PSComputerName": machine.computer_name}))
    if wanted and not {item.casefold() for item in wanted} & {name.casefold() for name in known}:
        invocation.output.error(
            ErrorRecord(
                "Cannot find the requested hotfix on the 'localhost' computer. Verify the input and run the "
                "command again.",
                f"GetHotFixNoEntriesFound,{TYPE}",
                "ObjectNotFound",
                "System.ArgumentException",
                "Get-HotFix",
            )
        )
