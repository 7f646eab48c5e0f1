"""Get-ComputerInfo: what is known of the machine, or the properties that are named."""

from __future__ import annotations

import fnmatch

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.computer.time_zone import TimeZone
from provisioner.lab.values import EnumValue, PsObject

_FIRMWARE = {"bios": ("Bios", 1), "uefi": ("Uefi", 2)}


async def run(invocation: Invocation) -> None:
    """Write one object."""
    machine = invocation.node.machine
    identity = machine.area(Identity)
    firmware = EnumValue(
        "Microsoft.PowerShell.Commands.FirmwareType", *_FIRMWARE[machine.installation.firmware]
    )
    values = {
        "BiosFirmwareType": firmware,
        "WindowsBuildLabEx": f"{machine.build}.1.amd64fre",
        "WindowsCurrentVersion": "6.3",
        "WindowsEditionId": "ServerDatacenter",
        "WindowsInstallationType": "Server",
        "WindowsProductName": f"Windows Server {machine.release} Datacenter",
        "CsCaption": machine.computer_name,
        "CsDNSHostName": machine.computer_name.casefold(),
        "CsDomain": identity.domain or identity.workgroup,
        "CsDomainRole": "MemberServer" if identity.domain else "StandaloneServer",
        "CsHypervisorPresent": machine.hyperv.is_active,
        "CsName": machine.computer_name,
        "CsPartOfDomain": bool(identity.domain),
        "CsWorkgroup": None if identity.domain else identity.workgroup,
        "OsName": f"Microsoft Windows Server {machine.release} Datacenter",
        "OsVersion": machine.version,
        "OsBuildNumber": str(machine.build),
        "OsLastBootUpTime": machine.boot_time,
        "OsArchitecture": "64-bit",
        "OsServerLevel": "FullServer",
        "TimeZone": machine.area(TimeZone).current,
    }
    patterns = [item.casefold() for item in texts(invocation.parameters.get("Property"))] or ["*"]
    chosen = {
        name: value
        for name, value in values.items()
        if any(fnmatch.fnmatchcase(name.casefold(), pattern) for pattern in patterns)
    }
    invocation.output.write(PsObject(("Microsoft.PowerShell.Commands.ComputerInfo", "System.Object"), chosen))
