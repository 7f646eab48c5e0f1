"""Get-ADComputer: computer objects of the machine's domain."""

from __future__ import annotations

import fnmatch
import re

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.directory.domain import computer_of, domain_of
from provisioner.lab.commands.failure import texts
from provisioner.lab.machine.directory.domains import DirectoryComputer
from provisioner.lab.values import ErrorRecord, PsObject, TerminatingError

_TYPE = "Microsoft.ActiveDirectory.Management.Commands.GetADComputer"
_FILTER = re.compile(r"\s*([\w-]+)\s+-(eq|like)\s+['\"]?([^'\"]*)['\"]?\s*", re.IGNORECASE)


async def run(invocation: Invocation) -> None:
    """Write one object by its identity, or those a filter with one comparison fits.

    Raises:
        TerminatingError: nobody has the identity, or the filter is more than the lab reads.
    """
    domain = domain_of(invocation, "Get-ADComputer", _TYPE)
    names = {item.casefold() for item in texts(invocation.parameters.get("Properties"))}
    identity = str(invocation.parameters.get("Identity", ""))
    if identity:
        found = [computer_of(invocation, domain, "Get-ADComputer", _TYPE)]
    else:
        found = _filtered(list(domain.computers.values()), str(invocation.parameters.get("Filter", "*")))
    for item in found:
        invocation.output.write(_shown(item, names))


def _filtered(computers: list[DirectoryComputer], text: str) -> list[DirectoryComputer]:
    if text.strip() == "*":
        return computers
    read = _FILTER.fullmatch(text)
    if read is None:
        raise TerminatingError(
            ErrorRecord(
                f"Error parsing query: '{text}'. The lab reads filters of one comparison, -eq or -like.",
                "ActiveDirectoryCmdlet:Microsoft.ActiveDirectory.Management.ADFilterParsingException,"
                + _TYPE,
                "ParserError",
                "Microsoft.ActiveDirectory.Management.ADFilterParsingException",
                "Get-ADComputer",
            )
        )
    name, operator, wanted = read[1].casefold(), read[2].casefold(), read[3].casefold()
    kept = []
    for item in computers:
        shown = _shown(item, {"*"})
        held = {key.casefold(): value for key, value in shown.properties.items()}.get(name)
        # An attribute without a value is not there at all: even '*' does not fit.
        values = [str(value).casefold() for value in (held if isinstance(held, list) else [held])]
        if held is not None and any(
            value == wanted or (operator == "like" and fnmatch.fnmatchcase(value, wanted)) for value in values
        ):
            kept.append(item)
    return kept


def _shown(item: DirectoryComputer, names: set[str]) -> PsObject:
    """Make the object; what is not asked for in -Properties is left out, as the module does."""
    always = {
        "DistinguishedName": item.dn,
        "DNSHostName": item.dns_host_name,
        "Enabled": item.enabled,
        "Name": item.name,
        "ObjectClass": "computer",
        "SamAccountName": item.sam,
        "UserPrincipalName": item.attributes.get("UserPrincipalName"),
    }
    asked = {
        "ServicePrincipalNames": list(item.spns),
        "servicePrincipalName": list(item.spns),
        "msDS-AllowedToDelegateTo": list(item.delegates_to),
        "PrincipalsAllowedToDelegateToAccount": list(item.principals),
        "TrustedForDelegation": item.trusted,
        "TrustedToAuthForDelegation": item.protocol_transition,
        "MemberOf": [group for group in item.groups if group != "Domain Computers"],
        **{name: item.attributes.get(name) for name in ("Description", "Location", "DisplayName")},
    }
    chosen = {name: value for name, value in asked.items() if "*" in names or name.casefold() in names}
    return PsObject(
        (
            "Microsoft.ActiveDirectory.Management.ADComputer",
            "Microsoft.ActiveDirectory.Management.ADAccount",
            "Microsoft.ActiveDirectory.Management.ADPrincipal",
            "Microsoft.ActiveDirectory.Management.ADObject",
            "System.Object",
        ),
        {**always, **chosen},
        text=item.dn,
    )
