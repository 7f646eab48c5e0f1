"""ADComputer of ActiveDirectoryDsc (class MSFT_ADComputer)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioner.lab.machine.area import MachineError
from provisioner.lab.machine.computer.identity import Identity
from provisioner.lab.machine.directory.domains import Directory, DirectoryComputer, Domain, host_spns
from provisioner.lab.resources.base import ResourceContext, ResourceError
from provisioner.lab.resources.binding import Rule, bind, invalid_operation, is_same, is_same_bag

TOOLS = "RSAT-AD-PowerShell"
_ATTRIBUTES = ("Location", "UserPrincipalName", "DisplayName", "Description", "Manager")
_RULES = (
    Rule("ComputerName", may_be_empty=False, is_mandatory=True),
    *(Rule(name) for name in _ATTRIBUTES),
    Rule("DnsHostName"),
    Rule("Path"),
    Rule("ServicePrincipalNames", "strings"),
    Rule("DomainController"),
    Rule("Credential", "any"),
    Rule("RequestFile"),
    Rule("Ensure", allowed=("Present", "Absent")),
    Rule("RestoreFromRecycleBin", "boolean"),
    Rule("EnabledOnCreation", "boolean"),
)


class AdComputer:
    """Stateless; bound service principal names decide alone whether the object is as it should be."""

    class_name = "MSFT_ADComputer"
    module = "ActiveDirectoryDsc"

    async def get(self, properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
        """Get-TargetResource."""
        bound = bind("Get-TargetResource", _RULES, properties)
        _, found = _find(bound, context)
        if found is None:
            return {"ComputerName": bound["ComputerName"], "Ensure": "Absent", "Enabled": False}
        return {"ComputerName": found.name, "Ensure": "Present", **_shown(found)}

    async def test(self, properties: Mapping[str, Any], context: ResourceContext) -> bool:
        """Test-TargetResource."""
        bound = bind("Test-TargetResource", _RULES, properties)
        _, found = _find(bound, context)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            return found is None
        if found is None:
            return False
        if "ServicePrincipalNames" in bound:
            return is_same_bag(found.spns, bound["ServicePrincipalNames"])
        shown = _shown(found)
        return all(
            is_same(shown[name] or "", bound[name])
            for name in (*_ATTRIBUTES, "DnsHostName", "Path")
            if name in bound
        )

    async def set(self, properties: Mapping[str, Any], context: ResourceContext) -> None:
        """Set-TargetResource; ``EnabledOnCreation`` counts only when the object is made."""
        bound = bind("Set-TargetResource", _RULES, properties)
        domain, found = _find(bound, context)
        directory = context.machine.world.area(Directory)
        await context.sleep(context.machine.durations.other_s)
        if is_same(bound.get("Ensure", "Present"), "Absent"):
            if found:
                directory.remove_computer(domain, found.name)
            return
        name = bound["ComputerName"].rstrip("$")
        made = found or DirectoryComputer(
            name,
            f"CN={name},{domain.default_container}",
            enabled=bound.get("EnabledOnCreation", True),
            spns=tuple(host_spns(name, domain.name)) if "RequestFile" in bound else (),
        )
        attributes = {key: bound[key] for key in _ATTRIBUTES if key in bound}
        try:
            directory.put_computer(
                domain,
                replace(
                    made,
                    dn=f"CN={made.name},{bound['Path']}" if bound.get("Path") else made.dn,
                    dns_host_name=bound.get("DnsHostName", made.dns_host_name),
                    spns=tuple(bound.get("ServicePrincipalNames", made.spns)),
                    attributes={**made.attributes, **attributes},
                ),
            )
        except MachineError as error:
            raise invalid_operation(
                f"Failed to update the computer account '{name}' in Active Directory: {error.message}"
            ) from None


def _shown(found: DirectoryComputer) -> dict[str, Any]:
    return {
        **{name: found.attributes.get(name) for name in _ATTRIBUTES},
        "DnsHostName": found.dns_host_name,
        "ServicePrincipalNames": list(found.spns),
        "Path": found.container,
        "DistinguishedName": found.dn,
        "SamAccountName": found.sam,
        "Enabled": found.enabled,
    }


def _find(bound: Mapping[str, Any], context: ResourceContext) -> tuple[Domain, DirectoryComputer | None]:
    """Find the domain the node asks, and the object in it."""
    machine = context.machine
    if not machine.features.is_installed(TOOLS):
        raise ResourceError(
            "System.InvalidOperationException: The module 'ActiveDirectory' was not found.",
            "MachineStateIncorrect",
            "ObjectNotFound",
        )
    directory = machine.world.area(Directory)
    name = bound.get("DomainController", "").partition(".")[2] or machine.area(Identity).domain
    try:
        domain = directory.reach(name)
        if credential := bound.get("Credential"):
            directory.authenticate(domain, str(credential["UserName"]), str(credential["Password"]))
    except MachineError as error:
        raise invalid_operation(
            f"Error looking up the Active Directory computer '{bound['ComputerName']}': {error.message}"
        ) from None
    return domain, directory.computer(domain, bound["ComputerName"])
