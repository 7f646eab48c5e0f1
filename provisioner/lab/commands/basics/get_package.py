"""Get-Package: what is in the lists of installed programs, as the providers Programs and msi show it."""

from __future__ import annotations

import fnmatch

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.ground.registry import UNINSTALL, UNINSTALL_32
from provisioner.lab.values import ErrorRecord, PsObject

_TYPES = (
    "Microsoft.PackageManagement.Packaging.SoftwareIdentity",
    "System.Xml.Linq.XElement",
    "System.Object",
)


async def run(invocation: Invocation) -> None:
    """Write one object for each program whose name matches; a name without any is an error."""
    registry = invocation.node.machine.registry
    keys = [f"{root}\\{name}" for root in (UNINSTALL, UNINSTALL_32) for name in registry.subkeys(root)]
    for pattern in texts(invocation.parameters.get("Name")) or ["*"]:
        found = [
            key
            for key in keys
            if fnmatch.fnmatchcase(str(registry.get(key, "DisplayName") or "").casefold(), pattern.casefold())
        ]
        for key in found:
            name = str(registry.get(key, "DisplayName") or "")
            is_msi = key.rpartition("\\")[2].startswith("{")
            invocation.output.write(
                PsObject(
                    _TYPES,
                    {
                        "Name": name,
                        "Version": str(registry.get(key, "DisplayVersion") or ""),
                        "Source": str(registry.get(key, "InstallLocation") or ""),
                        "ProviderName": "msi" if is_msi else "Programs",
                        "FastPackageReference": key.rpartition("\\")[2],
                    },
                    text=name,
                )
            )
        if not found and pattern != "*":
            invocation.output.error(
                ErrorRecord(
                    f"No package found for '{pattern}'.",
                    "NoMatchFound,Microsoft.PowerShell.PackageManagement.Cmdlets.GetPackage",
                    "ObjectNotFound",
                    "System.Exception",
                    "Get-Package",
                    "Microsoft.PowerShel...lets.GetPackage",
                )
            )
