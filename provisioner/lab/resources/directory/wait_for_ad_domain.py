"""WaitForADDomain of ActiveDirectoryDsc (class MSFT_WaitForADDomain)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.directory.domains import WRONG_PASSWORD, Directory
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_operation

_COUNTER = r"C:\Windows\Temp\WaitForADDomain_Reboot.tmp"
_POLL_S = 10.0
_TIMEOUT_S = 300
_RULES = (
    Rule("DomainName", is_mandatory=True),
    Rule("SiteName"),
    Rule("Credential", "any"),
    Rule("WaitTimeout", "uint64"),
    Rule("RestartCount", "uint32"),
    Rule("WaitForValidCredentials", "boolean"),
)


class WaitForADDomain:
    """Stateless; reboots are counted in a file, which survives them."""

    class_name = "MSFT_WaitForADDomain"
    module = "ActiveDirectoryDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        return {
            "DomainName": bound["DomainName"],
            "SiteName": bound.get("SiteName"),
            "WaitTimeout": bound.get("WaitTimeout", _TIMEOUT_S),
            "RestartCount": bound.get("RestartCount"),
            "WaitForValidCredentials": bound.get("WaitForValidCredentials", False),
            "IsAvailable": _is_available(bound, context),
        }

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource; true forgets the reboots."""
        found = _is_available(bind("Test-TargetResource", _RULES, properties), context)
        if found:
            _forget(context)
        return found

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource: wait; without success ask for a reboot while some are left, and throw."""
        bound = bind("Set-TargetResource", _RULES, properties)
        waited, limit = 0.0, float(bound.get("WaitTimeout", _TIMEOUT_S))
        while not (found := _is_available(bound, context)) and waited < limit:
            await context.sleep(_POLL_S)
            waited += _POLL_S
        if found:
            _forget(context)
            return
        files = context.machine.files
        count = int(files.read(_COUNTER) or b"0") if files.is_file(_COUNTER) else 0
        if count < bound.get("RestartCount", 0):
            files.write(_COUNTER, str(count + 1).encode())
            context.reboot_requested = True
        raise invalid_operation(
            f"No domain controller was found for the domain '{bound['DomainName']}' within the timeout."
        )


def _forget(context: ResourceContext) -> None:
    if context.machine.files.is_file(_COUNTER):
        context.machine.files.remove(_COUNTER)


def _is_available(bound: Mapping[str, Any], context: ResourceContext) -> bool:
    directory = context.machine.world.area(Directory)
    credential = bound.get("Credential")
    try:
        domain = directory.reach(bound["DomainName"])
        if credential:
            directory.authenticate(domain, str(credential["UserName"]), str(credential["Password"]))
    except MachineError as error:
        if error.message == WRONG_PASSWORD and not bound.get("WaitForValidCredentials"):
            raise ResourceError(
                f'Exception calling "FindOne" with "1" argument(s): "{error.message}"',
                "AuthenticationException",
                "NotSpecified",
                "System.Management.Automation.MethodInvocationException",
            ) from None
        return False
    # The system of a machine in a workgroup cannot ask a domain anything.
    return bool(credential) or bool(context.machine.area(Identity).domain)
